import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../src/dev/home.ts';

/** The environment of an ordinary shell, without the coordinates of a test run and without Jest's NODE_ENV. */
export function shellEnv(home: string): NodeJS.ProcessEnv {
  const { PATH, HOME, XDG_CACHE_HOME } = process.env;
  return { PATH, HOME, XDG_CACHE_HOME, PROXIE_HOME: home };
}

/** Runs `npm start`, `npm stop` or `npm run token` as a user would, with the stack in `home`. */
export function npm(home: string, ...args: string[]): Promise<{ code: number | null; output: string; stdout: string }> {
  const child = spawn(process.execPath, [join(projectRoot, 'scripts/bootstrap.mjs'), ...args], {
    env: shellEnv(home),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output, stdout })));
}
