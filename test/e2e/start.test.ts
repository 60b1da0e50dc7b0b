import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../src/dev/home.ts';
import { isRunning, type ProcessRef } from '../../src/dev/process.ts';
import { processOf, readStackFile, roles, type StackFile } from '../../src/dev/stack-file.ts';

let folder: string;
const home = (name: string) => join(folder, name);
const stack = (name: string): StackFile => readStackFile(join(home(name), 'stack.json'))!;
const processesOf = (file: StackFile): ProcessRef[] => [file.supervisor, ...roles.map((role) => processOf(file, role)!)];

/** `npm start` or `npm stop` as somebody types it, in a home of its own. */
function npm(name: string, ...args: string[]): Promise<{ code: number | null; output: string }> {
  // Only what a shell has: neither the coordinates of this test run nor Jest's NODE_ENV.
  const { PATH, HOME, XDG_CACHE_HOME } = process.env;
  const child = spawn(process.execPath, [join(projectRoot, 'scripts/bootstrap.mjs'), ...args], {
    env: { PATH, HOME, XDG_CACHE_HOME, PROXIE_HOME: home(name) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.once('exit', (code) => resolve({ code, output })));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'proxie-start-'));
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
});
afterAll(async () => {
  for (const name of ['a', 'b']) await npm(name, 'stop');
  rmSync(folder, { recursive: true, force: true });
}, 300_000);

describe('npm start', () => {
  it('two stacks started at the same moment run side by side', async () => {
    const [a, b] = await Promise.all([npm('a', 'start', '--detach'), npm('b', 'start', '--detach')]);
    expect([a.code, b.code, a.output, b.output].slice(0, 2)).toEqual([0, 0]);
    const ports = [stack('a'), stack('b')].flatMap((file) => Object.values(file.ports));
    expect(new Set(ports).size).toBe(ports.length);
    expect(statSync(join(home('a'), 'stack.json')).mode & 0o777).toBe(0o600);
    for (const name of ['a', 'b']) expect((await fetch(`${stack(name).urls.api}/health/ready`)).status).toBe(200);
  }, 180_000);

  it('--demo plays one whole request on a stack that runs already', async () => {
    const { code, output } = await npm('a', 'start', '--demo');
    expect(output).toContain('✓ the request was completed');
    expect(output).toMatch(/request\.opened[\s\S]*offer\.proposed[\s\S]*offer\.accepted[\s\S]*booking\.completed[\s\S]*request\.completed/);
    expect(code).toBe(0);
  }, 300_000);

  it('a supervisor that was killed leaves nothing that blocks the next start', async () => {
    const before = stack('b');
    process.kill(before.supervisor.pid, 'SIGKILL');
    const { code, output } = await npm('b', 'start', '--detach');
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain('of an earlier start still ran');
    expect(processesOf(before).filter(isRunning)).toEqual([]);
    expect((await fetch(`${stack('b').urls.api}/health/ready`)).status).toBe(200);
  }, 300_000);

  it('npm stop drains everything it started', async () => {
    for (const name of ['a', 'b']) {
      const file = stack(name);
      expect((await npm(name, 'stop')).code).toBe(0);
      expect(processesOf(file).filter(isRunning)).toEqual([]);
      expect(existsSync(join(home(name), 'stack.json'))).toBe(false);
    }
  }, 300_000);
});
