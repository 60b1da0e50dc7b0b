import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
// oxlint-disable-next-line proxie/one-sql-path -- checks that a server accepts connections, and creates the database before an ORM can open it
import pg from 'pg';
import type { ManagedSpec } from './managed.ts';
import { dataFolder, postgresFolder, runAs, type RunAs } from './postgres-binaries.ts';
import { refTo, stopProcess } from './process.ts';
import { StackError, step, type Say } from './progress.ts';

const run = promisify(execFile);

/** User and database of embedded servers. */
const name = 'proxie';

export interface PostgresOptions {
  /** PROXIE_HOME/postgres. */
  folder: string;
  password: string;
  port: number;
  logFile: string;
  env: Readonly<Record<string, string | undefined>>;
  /** For tests: nothing is flushed to disk. A killed process loses nothing, but a crash of the machine may lose the cluster. */
  throwAway?: boolean;
  maxConnections?: number;
}

/** Makes the cluster when it is missing, and returns how to run it. @throws StackError */
export async function preparePostgres(options: PostgresOptions, say: Say): Promise<ManagedSpec & { url: string }> {
  const user = runAs(say);
  const binaries = postgresFolder(user, say);
  const data = dataFolder(options.folder, user, say);
  if (existsSync(join(data, 'PG_VERSION'))) await checkVersion(data, binaries);
  else
    await step(say, 'Postgres: making the cluster (only at the first start)', 'initdb', () =>
      initialise(data, binaries, options.password, user),
    );
  await stopLeftover(data, say);

  const url = `postgres://${name}:${encodeURIComponent(options.password)}@127.0.0.1:${options.port}/${name}`;
  const settings: Record<string, string | number> = {
    port: options.port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: options.maxConnections ?? 200,
    shared_buffers: '128MB',
    shared_preload_libraries: 'pg_stat_statements',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Two stacks of one user could collide in System V shared memory.
    dynamic_shared_memory_type: process.platform === 'win32' ? 'windows' : 'posix',
    ...(options.throwAway ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  return {
    url,
    role: 'postgres',
    command: join(binaries, 'bin', 'postgres'),
    args: ['-D', data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
    env: { ...options.env, LC_ALL: 'C', PGDATA: undefined },
    cwd: data,
    ...user,
    logFile: options.logFile,
    isReady: () => accepts(url),
    waitsFor: 'the server to accept connections',
    readyWithinMs: 60_000,
    stopSignal: 'SIGINT', // "fast": ends sessions, keeps committed work
    graceMs: 20_000,
  };
}

/** Makes the database of that name when it is missing. */
export async function ensureDatabase(url: string, database = name): Promise<void> {
  await withClient(urlOf(url, 'postgres'), async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  });
}

/** The URL of another database on the same server, for the same user. */
export function urlOf(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 30_000 });
  client.on('error', () => undefined); // the next statement reports a lost server
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const accepts = (url: string): Promise<boolean> =>
  withClient(urlOf(url, 'postgres'), async (client) => Boolean(await client.query('select 1')));

/** Makes the cluster in another folder and renames it when complete, so that a killed start leaves no half-made cluster. */
async function initialise(data: string, binaries: string, password: string, user: RunAs | undefined): Promise<void> {
  const aside = `${data}.new`;
  const passwordFile = `${data}.password`;
  rmSync(aside, { recursive: true, force: true });
  rmSync(data, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user) for (const path of [aside, passwordFile]) chownSync(path, user.uid, user.gid);
  try {
    await run(
      join(binaries, 'bin', 'initdb'),
      [
        `--pgdata=${aside}`,
        `--username=${name}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // Sorts by code point, which is the same on every system. The locales of the C library differ.
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-instructions',
        '--no-sync',
      ],
      { cwd: aside, ...user, env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } },
    );
  } catch (error) {
    throw new StackError(`initdb failed: ${(error as { stderr?: string }).stderr?.trim() || String(error)}`, { cause: error });
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(aside, data);
}

async function checkVersion(data: string, binaries: string): Promise<void> {
  const cluster = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  const { stdout } = await run(join(binaries, 'bin', 'postgres'), ['--version'], { env: { LC_ALL: 'C' } });
  if (stdout.includes(` ${cluster}.`)) return;
  throw new StackError(
    `The cluster in ${data} was made by Postgres ${cluster}, this is ${stdout.trim()}. Move that folder away to begin with an empty one.`,
  );
}

/** Stops a server whose parent was killed. Such a server still runs and owns the data folder; postmaster.pid contains its pid. */
async function stopLeftover(data: string, say: Say): Promise<void> {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const [pid, folder] = readFileSync(file, 'utf8').split('\n');
  const ref = refTo(Number(pid));
  if (!ref || folder !== data || !(await isPostgres(ref.pid, data))) return; // a stale file: Postgres removes it itself
  say(`  a Postgres server of an earlier start still runs (pid ${pid}): stopping it`);
  await stopProcess(ref, 'SIGINT', 20_000);
}

/** Whether the process is a Postgres server on this folder. Another process may have got the pid in the file. */
async function isPostgres(pid: number, data: string): Promise<boolean> {
  const { stdout } = await run('ps', ['-o', 'args=', '-ww', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.includes('postgres') && stdout.includes(data);
}
