import { join } from 'node:path';
import { projectRoot, type HomePaths } from './home.ts';
import type { ManagedSpec } from './managed.ts';

type Env = ManagedSpec['env'];

/** How to run the API. It is the same file as in production, and only the environment tells it the addresses. */
export function apiProgram(paths: HomePaths, env: Env, url: string): ManagedSpec {
  return {
    ...program('api', 'src/api/server.ts', paths, env),
    isReady: () => answers(`${url}/health/ready`),
    waitsFor: 'GET /health/ready to answer 200',
    graceMs: 30_000, // the API's own limit is 29 s
  };
}

/** How to run the worker. @param bundle file of the prebuilt workflow code */
export function workerProgram(
  paths: HomePaths,
  env: Env,
  { url, graceMs, bundle }: { url: string; graceMs: number; bundle: string },
): ManagedSpec {
  return {
    ...program('worker', 'src/worker.ts', paths, env, bundle),
    isReady: () => answers(`${url}/ready`),
    waitsFor: 'the worker to poll its task queues',
    graceMs,
  };
}

function program(role: 'api' | 'worker', file: string, paths: HomePaths, env: Env, ...more: string[]) {
  return {
    role,
    command: process.execPath,
    args: [join(projectRoot, file), ...more],
    env,
    cwd: projectRoot,
    logFile: join(paths.logs, `${role}.log`),
    readyWithinMs: 60_000,
    stopSignal: 'SIGTERM' as const,
  };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return response.status === 200;
}
