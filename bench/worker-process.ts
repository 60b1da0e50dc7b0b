import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DEV_ISSUER } from '../src/config.ts';
import { DEV_AUDIENCE } from '../src/dev/issuer.ts';
import type { Suite } from '../test/support/suite.ts';

/** A worker of a suite's database and namespace in a process of its own. */
export function startWorkerProcess(suite: Suite, env: Record<string, string> = {}): { stop(): Promise<void> } {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../src/worker.ts'), process.env.PROXIE_TEST_BUNDLE!], {
    // The SDK's warnings about queues without workflows are of no interest here.
    stdio: ['ignore', 'ignore', process.env.DEBUG ? 'inherit' : 'ignore'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      NODE_ENV: 'test',
      DATABASE_URL: suite.databaseUrl,
      TEMPORAL_ADDRESS: process.env.PROXIE_TEST_TEMPORAL_ADDRESS,
      TEMPORAL_NAMESPACE: suite.namespace,
      AUTH_JWKS_URL: 'http://127.0.0.1:1/jwks.json',
      AUTH_ISSUER: DEV_ISSUER,
      AUTH_AUDIENCE: DEV_AUDIENCE,
      CURSOR_SECRET: 'a-secret-of-the-tests-with-32-bytes!',
      WORKER_SHUTDOWN_GRACE_MS: '1000',
      ...env,
    },
  });
  const gone = once(child, 'exit');
  return {
    async stop() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
