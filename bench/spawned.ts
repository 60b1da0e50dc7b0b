// The processes beside a measurement. Each is a process of its own, as in production.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DEV_ISSUER } from '../src/config.ts';
import { projectRoot } from '../src/dev/home.ts';
import { DEV_AUDIENCE } from '../src/dev/issuer.ts';
import { caller, eventually } from '../test/support/http.ts';
import { anyPort } from '../test/support/ports.ts';
import type { Suite } from '../test/support/suite.ts';

export interface Spawned {
  pid: number;
  stop(): Promise<void>;
}

/**
 * Starts a worker for a suite's database and namespace.
 * @param root the checkout whose code runs
 */
export const startWorkerProcess = (suite: Suite, env: Record<string, string> = {}, root = projectRoot): Spawned =>
  spawned(suite, join(root, 'src/worker.ts'), [process.env.PROXIE_TEST_BUNDLE!], env);

/** Starts a worker for only the workflows of `bare.workflows.ts`, in the same namespace. */
export const startBareWorkerProcess = (suite: Suite): Spawned => spawned(suite, join(import.meta.dirname, 'bare.worker.ts'), [], {});

/** Starts the API for a suite's database and namespace. Resolves when the API is ready. */
export async function startApiProcess(
  suite: Suite,
  env: Record<string, string> = {},
  root = projectRoot,
): Promise<Spawned & { url: string }> {
  const port = await anyPort();
  const url = `http://127.0.0.1:${port}`;
  const api = spawned(suite, join(root, 'src/api/server.ts'), [], { PORT: String(port), AUTH_JWKS_URL: suite.jwksUrl, ...env });
  const health = () =>
    caller(url)
      .get('/health')
      .catch(() => undefined);
  await eventually(health, (answer) => answer?.body.status === 'ok', { what: 'the API process' });
  return { ...api, url };
}

/** The same suite, with its callers calling another API. */
export const through = (suite: Suite, url: string): Suite => ({
  ...suite,
  url,
  as: async (subject, ...roles) => caller(url, await suite.token(subject, ...roles)),
});

function spawned(suite: Suite, file: string, args: string[], env: Record<string, string>): Spawned {
  const child = spawn(process.execPath, [...(process.env.BENCH_NODE_ARGS?.split(' ') ?? []), file, ...args], {
    // stderr would show the SDK's warnings about queues without workflows.
    stdio: ['ignore', 'ignore', process.env.DEBUG ? 'inherit' : 'ignore'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      NODE_ENV: 'test',
      LOG_LEVEL: 'info',
      DATABASE_URL: suite.databaseUrl,
      TEMPORAL_ADDRESS: process.env.PROXIE_TEST_TEMPORAL_ADDRESS,
      TEMPORAL_NAMESPACE: suite.namespace,
      AUTH_JWKS_URL: 'http://127.0.0.1:1/jwks.json',
      AUTH_ISSUER: DEV_ISSUER,
      AUTH_AUDIENCE: DEV_AUDIENCE,
      CURSOR_SECRET: 'a-secret-of-the-tests-with-32-bytes!',
      RATE_LIMIT_PER_MINUTE: '100000',
      // The first command waits until the worker has started, also on a busy machine.
      COMMAND_DEADLINE_MS: '60000',
      WORKER_SHUTDOWN_GRACE_MS: '1000',
      ...env,
    },
  });
  const gone = once(child, 'exit');
  return {
    pid: child.pid!,
    async stop() {
      // A process that writes a profile has to end by itself.
      child.kill(process.env.BENCH_NODE_ARGS ? 'SIGTERM' : 'SIGKILL');
      await gone;
    },
  };
}
