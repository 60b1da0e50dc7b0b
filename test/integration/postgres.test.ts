import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadStackConfig } from '../../src/config.ts';
import { managed, type Managed } from '../../src/dev/managed.ts';
import { ensureDatabase, preparePostgres, withClient } from '../../src/dev/postgres.ts';
import { isRunning, refTo } from '../../src/dev/process.ts';
import { eventually } from '../support/http.ts';
import { anyPort } from '../support/ports.ts';

let folder: string;
let said: string[];
let running: Managed[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proxie-postgres-'));
  rmSync(folder, { recursive: true });
  mkdirSync(folder); // The folder must be accessible: under root, Postgres runs as another user.
  said = [];
  running = [];
});
afterEach(async () => {
  for (const one of running) await one.stop();
  rmSync(folder, { recursive: true, force: true });
});

const say = (line: string) => void said.push(line);

const prepare = async () =>
  preparePostgres(
    { folder, password: 'secret', port: await anyPort(), logFile: join(folder, 'postgres.log'), env: loadStackConfig().inherited },
    say,
  );

async function start(): Promise<{ server: Managed; url: string }> {
  const spec = await prepare();
  const server = managed(spec, say, () => undefined);
  running.push(server);
  await server.start();
  await ensureDatabase(spec.url);
  return { server, url: spec.url };
}

const count = (url: string) =>
  withClient(url, async (client) => (await client.query('select count(*)::int as n from t')).rows[0].n as number);

describe('the embedded Postgres', () => {
  it('killed in the middle, is back by itself with everything that was committed', async () => {
    const { server, url } = await start();
    await withClient(url, (client) => client.query('create table t (n int); insert into t select generate_series(1, 1000)'));
    const before = server.current!;
    process.kill(before.pid, 'SIGKILL');
    await eventually(
      async () => said,
      (lines) => lines.includes('✓ postgres is back'),
      { what: 'the restart' },
    );
    expect(server.current!.pid).not.toBe(before.pid);
    expect(await count(url)).toBe(1_000);
  });

  it('left running by a start that was killed, is stopped and taken over by the next one', async () => {
    const first = await start();
    await withClient(first.url, (client) => client.query('create table t (n int); insert into t values (1)'));
    await first.server.stop();
    // This server has no process that watches it.
    const { command, args, cwd, uid, gid } = await prepare();
    const child = spawn(command, [...args], { cwd, uid, gid, detached: true, stdio: 'ignore' });
    const left = refTo(child.pid!)!;
    while (!existsSync(join(folder, 'data', 'postmaster.pid'))) await new Promise((resolve) => setTimeout(resolve, 20));
    const second = await start();
    expect(isRunning(left)).toBe(false);
    expect(said.join('\n')).toContain(`still runs (pid ${left.pid}): stopping it`);
    expect(await count(second.url)).toBe(1);
  });

  it('whose making was interrupted, is made anew', async () => {
    mkdirSync(join(folder, 'data.new', 'base'), { recursive: true });
    writeFileSync(join(folder, 'data.new', 'PG_VERSION'), '18\n');
    const { url } = await start();
    expect(
      await withClient(
        url,
        async (client) => (await client.query('show shared_preload_libraries')).rows[0].shared_preload_libraries as string,
      ),
    ).toBe('pg_stat_statements');
  });

  it('made by another release, is left alone and the error says what to do', async () => {
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data', 'PG_VERSION'), '15\n');
    await expect(start()).rejects.toThrow(/made by Postgres 15.*Move that folder away/);
  });
});
