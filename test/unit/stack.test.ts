import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { DEV_ISSUER } from '../../src/config.ts';
import { DEV_AUDIENCE, startIssuer } from '../../src/dev/issuer.ts';
import { stopLeftovers } from '../../src/dev/leftovers.ts';
import { holderOf, releaseLock, takeLock } from '../../src/dev/lock.ts';
import { managed, type Managed, type ManagedSpec } from '../../src/dev/managed.ts';
import { portChooser } from '../../src/dev/ports.ts';
import { goneWithin, isRunning, refTo, stopProcess, type ProcessRef } from '../../src/dev/process.ts';
import { devSecrets } from '../../src/dev/secrets.ts';
import { readStackFile, writeStackFile, type StackFile } from '../../src/dev/stack-file.ts';
import { resolveTemporalCli } from '../../src/dev/temporal-cli.ts';
import { cachedExecutable, checkExecutable } from '../../src/dev/temporal-fetch.ts';
import { eventually } from '../support/http.ts';
import { anyPort } from '../support/ports.ts';

let folder: string;
let said: string[];
const say = (line: string) => void said.push(line);
const started: ProcessRef[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proxie-stack-'));
  said = [];
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((ref) => stopProcess(ref, 'SIGKILL', 1_000)));
  rmSync(folder, { recursive: true, force: true });
});

/** A process that runs until it is told otherwise. */
function sleeper(script = 'setInterval(() => {}, 1000)'): ProcessRef {
  const ref = refTo(spawn(process.execPath, ['-e', script], { stdio: 'ignore', detached: true }).pid!)!;
  started.push(ref);
  return ref;
}

const fileFor = (ref: ProcessRef): StackFile => ({
  state: 'ready',
  home: folder,
  supervisor: { pid: 1, started: 'long ago' },
  urls: {},
  ports: {},
  pids: { worker: ref.pid },
  started: { worker: ref.started },
  tokens: {},
});

describe('what a killed start has left', () => {
  it('is stopped by the next one', async () => {
    const left = sleeper();
    writeStackFile(join(folder, 'stack.json'), fileFor(left));
    expect(await stopLeftovers(join(folder, 'stack.json'), say)).toBe(1);
    expect(isRunning(left)).toBe(false);
    expect(existsSync(join(folder, 'stack.json'))).toBe(false);
  });

  it('given a pid that belongs to somebody else by now, nobody is stopped', async () => {
    const stranger = sleeper();
    writeStackFile(join(folder, 'stack.json'), fileFor({ ...stranger, started: 'another boot:1' }));
    expect(await stopLeftovers(join(folder, 'stack.json'), say)).toBe(0);
    expect(isRunning(stranger)).toBe(true);
  });

  it('a process that ignores the signal is killed after its grace', async () => {
    const ready = join(folder, 'ready');
    const stubborn = sleeper(
      `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); require('fs').writeFileSync(${JSON.stringify(ready)}, '')`,
    );
    while (!existsSync(ready)) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await stopProcess(stubborn, 'SIGTERM', 200)).toBe('killed');
    expect(isRunning(stubborn)).toBe(false);
  });

  it('stack.json and the keys are readable by their owner only', async () => {
    writeStackFile(join(folder, 'stack.json'), fileFor(refTo(process.pid)!));
    const first = await devSecrets(join(folder, 'secrets.json'));
    for (const name of ['stack.json', 'secrets.json']) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(await devSecrets(join(folder, 'secrets.json'))).toEqual(first);
    expect(readStackFile(join(folder, 'stack.json'))?.pids.worker).toBe(process.pid);
  });
});

describe('the lock of a home', () => {
  it('is held by one process, and told to the others', () => {
    const path = join(folder, 'lock');
    expect(takeLock(path)).toBeUndefined();
    expect(takeLock(path)).toEqual(refTo(process.pid));
    releaseLock(path);
    expect(takeLock(path)).toBeUndefined();
  });

  it.each([
    ['of a process that is gone', '{"pid":999999999,"started":"x"}'],
    ['of a recycled pid', `{"pid":${process.pid},"started":"another boot:1"}`],
    ['that was left half written', '{"pi'],
  ])('one %s does not block the next start', (_name, content) => {
    const path = join(folder, 'lock');
    writeFileSync(path, content);
    expect(takeLock(path)).toBeUndefined();
    expect(holderOf(path)).toEqual(refTo(process.pid));
    expect(readdirSync(folder)).toEqual(['lock']);
  });
});

describe('ports', () => {
  const wish = (from: number, wanted?: number) => ({ what: 'the API', key: 'PORT', wanted, from });

  it('a busy one is avoided and said, unless it was asked for by name', async () => {
    const busy = await anyPort();
    const server = createServer().listen(busy, '127.0.0.1');
    try {
      const choose = portChooser(join(folder, 'claims'), say);
      expect(await choose(wish(busy))).toBeGreaterThan(busy);
      expect(said.join()).toContain(`port ${busy} is busy`);
      await expect(choose(wish(busy, busy))).rejects.toThrow(
        `Port ${busy} for the API is busy. Stop what listens there, or choose another one with PORT.`,
      );
    } finally {
      server.close();
    }
  });

  it('two stacks that start at the same moment get different ones, though nobody listens yet', async () => {
    const from = await anyPort();
    const claims = join(folder, 'claims');
    const [a, b] = await Promise.all([portChooser(claims, say)(wish(from)), portChooser(claims, say)(wish(from))]);
    expect(a).not.toBe(b);
  });
});

describe('a managed process', () => {
  const spec = (script: string, more: Partial<ManagedSpec> = {}): ManagedSpec => ({
    role: 'worker',
    command: process.execPath,
    args: ['-e', script],
    env: {},
    cwd: folder,
    logFile: join(folder, 'worker.log'),
    isReady: async () => true,
    waitsFor: 'nothing',
    readyWithinMs: 30_000,
    stopSignal: 'SIGTERM',
    graceMs: 1_000,
    ...more,
  });

  it('is started again when it dies, and not when it was stopped', async () => {
    const one = managed(spec('setInterval(() => {}, 1000)'), say, () => undefined);
    await one.start();
    const first = one.current!;
    process.kill(first.pid, 'SIGKILL');
    await goneWithin(first, 20_000);
    await eventually(
      async () => said,
      (lines) => lines.includes('✓ worker is back'),
      { what: 'the restart' },
    );
    const second = one.current!;
    expect(second.pid).not.toBe(first.pid);
    await one.stop();
    expect(isRunning(second)).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(one.current).toBeUndefined();
  });

  it('has told its end when its stop returns, and nothing after it', async () => {
    const told: boolean[] = [];
    const one: Managed = managed(spec('setInterval(() => {}, 1000)'), say, () => void told.push(one.current !== undefined));
    await one.start();
    const ref = one.current!;
    process.kill(ref.pid, 'SIGKILL');
    while (isRunning(ref)); // without a pause: the system knows, and Node cannot have told us yet
    await one.stop();
    expect(told).toEqual([true, false]);
  });

  it('that ends before it is ready fails the start with its last words', async () => {
    const one = managed(spec('console.error("no database"); process.exit(3)', { isReady: async () => false }), say, () => undefined);
    await expect(one.start()).rejects.toThrow(/ended before it was ready[\s\S]*no database/);
  });
});

describe('the Temporal CLI', () => {
  const options = (more: object = {}) => ({ bin: join(folder, 'bin'), cache: join(folder, 'cache'), path: '', say, sources: [], ...more });

  /** An executable that answers --version. */
  function executable(path: string, version: string): string {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, `#!/bin/sh\necho 'temporal version 9 (Server ${version}, UI 2.0.0)'\n`);
    chmodSync(path, 0o755);
    return path;
  }

  it('on PATH comes before the one in PROXIE_HOME/bin', async () => {
    const onPath = executable(join(folder, 'path', 'temporal'), '1.32.0');
    executable(join(folder, 'bin', 'temporal'), '1.33.0');
    expect(await resolveTemporalCli(options({ path: join(folder, 'path') }))).toEqual({ executable: onPath, server: '1.32.0' });
  });

  it('with a server that is too old is passed over, and it is said why', async () => {
    executable(join(folder, 'path', 'temporal'), '1.24.2');
    const byHand = executable(join(folder, 'bin', 'temporal'), '1.31.0');
    expect((await resolveTemporalCli(options({ path: join(folder, 'path') }))).executable).toBe(byHand);
    expect(said.join('\n')).toContain('its server is 1.24, at least 1.31 is needed');
  });

  it('fetched earlier and changed since is thrown away, not run', async () => {
    mkdirSync(join(folder, 'cache'));
    const cached = cachedExecutable(join(folder, 'cache'));
    writeFileSync(cached, '#!/bin/sh\necho gotcha\n', { mode: 0o755 });
    await expect(checkExecutable(cached)).rejects.toThrow(/SHA-256 of .* is [0-9a-f]{64}, expected [0-9a-f]{64}/);
    await expect(resolveTemporalCli(options())).rejects.toThrow('No Temporal server was found');
    expect(existsSync(cached)).toBe(false);
  });

  it('when every way fails, the error names three that would work', async () => {
    const sources = ['first', 'second'].map((title) => ({
      title,
      waitsFor: 'it',
      fetch: () => Promise.reject(new Error(`${title}: no network`)),
    }));
    const failure = await resolveTemporalCli(options({ sources })).catch((error: Error) => error.message);
    expect(failure).toMatch(/1\. .*PATH[\s\S]*2\. [\s\S]*bin[\s\S]*3\. .*TEMPORAL_ADDRESS/);
    expect(said).toEqual(expect.arrayContaining(['  not this way: first: no network', '  not this way: second: no network']));
  });
});

describe('the development issuer', () => {
  it('signs access tokens that its JWKS verifies, for the machine itself only', async () => {
    const { issuerKey } = await devSecrets(join(folder, 'secrets.json'));
    const issuer = await startIssuer(issuerKey, await anyPort());
    try {
      const answer = await fetch(issuer.tokenUrl, { method: 'POST', body: JSON.stringify({ subject: 'somebody', roles: ['consumer'] }) });
      const { access_token } = (await answer.json()) as { access_token: string };
      const { payload } = await jwtVerify(access_token, createRemoteJWKSet(new URL(issuer.jwksUrl)), {
        issuer: DEV_ISSUER,
        audience: DEV_AUDIENCE,
        typ: 'at+jwt',
        algorithms: ['ES256'],
        requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti'],
      });
      expect(payload).toMatchObject({ sub: 'somebody', roles: ['consumer'] });
      const keys = await (await fetch(issuer.jwksUrl)).text();
      expect(keys).not.toContain(issuerKey.d);
      expect((await fetch(issuer.tokenUrl, { method: 'POST', body: '{"roles":[]}' })).status).toBe(400);
    } finally {
      await issuer.close();
    }
  });
});
