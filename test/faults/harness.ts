// A whole Proxie in processes of its own, each of which a test may kill, stop, continue and start again by its pid.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { reconcile, type ReconcileReport } from '../../src/activities/reconcile.ts';
import { DEV_ISSUER, loadStackConfig } from '../../src/config.ts';
import { migrate, openOrm, patient, sql, type Orm } from '../../src/db/orm.ts';
import { storeCatalogue } from '../../src/db/queries/catalogue.ts';
import { executableCache, homePaths, makeHome } from '../../src/dev/home.ts';
import { DEV_AUDIENCE, startIssuer } from '../../src/dev/issuer.ts';
import { lastLines, type ManagedSpec } from '../../src/dev/managed.ts';
import { ensureDatabase, preparePostgres } from '../../src/dev/postgres.ts';
import { goneWithin, refTo, signal, stopProcess, type ProcessRef } from '../../src/dev/process.ts';
import { apiProgram, workerProgram } from '../../src/dev/programs.ts';
import { devSecrets } from '../../src/dev/secrets.ts';
import { writeStackFile, type Role } from '../../src/dev/stack-file.ts';
import { resolveTemporalCli } from '../../src/dev/temporal-cli.ts';
import { ensureSearchAttributes, prepareTemporal } from '../../src/dev/temporal-server.ts';
import { seedCatalogue } from '../../src/domain/intake/catalogue-seed.ts';
import { dataConverter } from '../../src/temporal/data-converter.ts';
import { caller, type Caller } from '../support/http.ts';
import { anyPort } from '../support/ports.ts';
import { runsFolder } from '../support/servers.ts';
import { mailServer, type MailServer } from '../support/smtp.ts';
import { failpoints, type Failpoints } from './failpoint.ts';

/** One process of the stack. Only the test restarts it. */
export interface Program {
  /** Starts the process. Resolves when the process is ready. */
  start(): Promise<void>;
  /** SIGKILL: the process cannot react. */
  kill(): Promise<void>;
  /** SIGSTOP: the process exists but does not answer. */
  freeze(): void;
  thaw(): void;
  /** Starts the process again whenever it dies, as an init system does. @returns ends this and returns the number of deaths */
  keepAlive(): () => Promise<number>;
}

export interface Stack {
  api: Program;
  worker: Program;
  temporal: Program;
  postgres: Program;
  /** Deletes everything that Temporal has stored. Temporal must be down. */
  forgetTemporal(): void;
  /** The points at which the worker can die. */
  failpoints: Failpoints;
  url: string;
  databaseUrl: string;
  orm: Orm;
  client: Client;
  mails: MailServer;
  anonymous: Caller;
  as(subject: string, ...roles: string[]): Promise<Caller>;
  rows<T>(text: string, params?: unknown[]): Promise<T[]>;
  /** `npm run reconcile`, as an operator runs it. */
  reconcile(): Promise<{ exitCode: number | null; report: ReconcileReport }>;
  /** The same without a process of its own, which takes two seconds. */
  check(): Promise<ReconcileReport>;
  /** Registers what this checkout needs in the servers, after API and worker of `from` have been stopped. Their next start is this checkout's. */
  deploy(): Promise<void>;
  /** The API's log lines about an HTTP request. The cause of a 500 appears only there. */
  logOf(requestId: string): string[];
  close(): Promise<void>;
}

export interface StackOptions {
  policy?: object;
  env?: Record<string, string>;
  /** Another checkout, whose API and worker run until `deploy`. */
  from?: Release;
}

/** What the harness needs of a checkout. */
export interface Release {
  root: string;
  apiProgram: typeof apiProgram;
  workerProgram: typeof workerProgram;
  prepareTemporal: typeof prepareTemporal;
  /** File of the prebuilt code of its workflows. */
  bundle: string;
}

/** Shorter than in production, so that a command that no worker answers is refused soon. */
export const commandDeadlineMs = 3_000;

const silent = () => undefined;

export async function startStack({ policy = {}, env: more = {}, from }: StackOptions = {}): Promise<Stack> {
  const began = Date.now();
  const home = join(runsFolder(), `faults-${process.pid}-${began}`);
  const paths = homePaths(home);
  makeHome(paths);
  const running = new Map<Role, ProcessRef>();
  // Ends processes that a killed test run has left behind.
  const writeDown = () =>
    writeStackFile(paths.stackFile, {
      state: 'ready',
      home,
      supervisor: refTo(process.pid)!,
      urls: {},
      ports: {},
      tokens: {},
      pids: Object.fromEntries([...running].map(([role, { pid }]) => [role, pid])),
      started: Object.fromEntries([...running].map(([role, { started }]) => [role, started])),
    });
  // Written at once: a test run that begins now deletes folders without a living owner.
  writeDown();
  const onChange = (role: Role, ref: ProcessRef | undefined) => {
    if (ref) running.set(role, ref);
    else running.delete(role);
    writeDown();
  };

  const bundle = process.env.PROXIE_TEST_BUNDLE;
  if (!bundle) throw new Error('PROXIE_TEST_BUNDLE is not set: run the tests with npm test.');
  const { PATH, HOME, XDG_CACHE_HOME } = process.env;
  const base = { PATH, HOME, XDG_CACHE_HOME };
  const secrets = await devSecrets(paths.secrets);
  const [issuer, mails] = [await startIssuer(secrets.issuerKey, await anyPort()), await mailServer()];
  const postgresSpec = await preparePostgres(
    { folder: paths.postgres, password: 'test', port: await anyPort(), logFile: join(paths.logs, 'postgres.log'), env: base },
    silent,
  );
  const temporalSpec = (from?.prepareTemporal ?? prepareTemporal)(
    {
      cli: await temporalCli(),
      folder: paths.temporal,
      port: await anyPort(),
      namespace: 'default',
      logFile: join(paths.logs, 'temporal.log'),
      cwd: home,
      env: base,
    },
    silent,
  );
  const [apiPort, metricsPort] = [await anyPort(), await anyPort()];
  const url = `http://127.0.0.1:${apiPort}`;
  const points = join(home, 'failpoints');
  const env = {
    ...base,
    NODE_ENV: 'test',
    NODE_COMPILE_CACHE: join(dirname(bundle), 'compiled'),
    LOG_LEVEL: 'info',
    DATABASE_URL: postgresSpec.url,
    PORT: String(apiPort),
    WORKER_METRICS_PORT: String(metricsPort),
    AUTH_JWKS_URL: issuer.jwksUrl,
    AUTH_ISSUER: DEV_ISSUER,
    AUTH_AUDIENCE: DEV_AUDIENCE,
    CURSOR_SECRET: secrets.cursorSecret,
    TEMPORAL_ADDRESS: temporalSpec.address,
    TEMPORAL_NAMESPACE: 'default',
    COMMAND_DEADLINE_MS: String(commandDeadlineMs),
    RATE_LIMIT_PER_MINUTE: '100000',
    SMTP_URL: mails.url,
    POLICY: JSON.stringify(policy),
    ...more,
  };
  const hooked = (spec: ManagedSpec, ...names: string[]): ManagedSpec => ({
    ...spec,
    args: [...names.flatMap((name) => ['--import', join(import.meta.dirname, name)]), ...spec.args],
  });
  const monitor = { url: `http://127.0.0.1:${metricsPort}`, graceMs: 3_000 };
  const own = {
    worker: hooked(workerProgram(paths, { ...env, FAILPOINTS: points }, { ...monitor, bundle }), 'compiled.hook.ts', 'failpoint.hook.ts'),
    api: hooked(apiProgram(paths, env, url), 'compiled.hook.ts'),
  };
  let release = from
    ? { worker: from.workerProgram(paths, env, { ...monitor, bundle: from.bundle }), api: from.apiProgram(paths, env, url) }
    : own;
  const postgres = program(() => postgresSpec, onChange);
  const temporal = program(() => temporalSpec, onChange);
  const worker = program(() => release.worker, onChange);
  const api = program(() => release.api, onChange);

  const database = async () => {
    await postgres.start();
    await ensureDatabase(postgresSpec.url);
    if (from) {
      const { exitCode, err } = await run(join(from.root, 'src/migrate.ts'), env);
      if (exitCode !== 0) throw new Error(`the migrations of ${from.root} failed: ${err}`);
    }
    const orm = await openOrm({ databaseUrl: postgresSpec.url, poolMax: 4, applicationName: 'proxie-test', ...patient });
    if (!from) await prepare(orm);
    return orm;
  };
  const prepare = async (orm: Orm) => {
    await migrate(orm);
    await storeCatalogue(orm.em.fork(), seedCatalogue);
  };
  const bringUp = async () => {
    const [orm] = await Promise.all([database(), temporal.start()]);
    await Promise.all([worker.start(), api.start()]);
    return orm;
  };
  const orm = await bringUp().catch(async (error) => {
    await Promise.all([...running.keys()].map(stop));
    throw error;
  });
  const client = new Client({ connection: Connection.lazy({ address: temporalSpec.address }), dataConverter: dataConverter() });

  return {
    api,
    worker,
    temporal,
    postgres,
    orm,
    client,
    mails,
    failpoints: failpoints(points),
    url,
    databaseUrl: postgresSpec.url,
    forgetTemporal() {
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(paths.temporal, `temporal.db${suffix}`), { force: true });
    },
    anonymous: caller(url),
    as: async (subject, ...roles) => caller(url, await issuer.token({ subject, roles })),
    rows: (text, params) => sql(orm.em.fork(), text, params),
    reconcile: () => runReconcile(env),
    async deploy() {
      await Promise.all([ensureSearchAttributes(client.connection as Connection, 'default'), prepare(orm)]);
      release = own;
    },
    check: () => reconcile({ orm, temporal: client }, { quietMs: 0, patienceMs: 60_000 }),
    logOf: (requestId) =>
      readFileSync(join(paths.logs, 'api.log'), 'utf8')
        .split('\n')
        .filter((line) => line.includes(requestId)),
    async close() {
      await Promise.all([stop('api'), stop('worker')]);
      await Promise.all([client.connection.close(), orm.close(true), issuer.close(), mails.stop()]);
      await stop('temporal');
      await stop('postgres');
      if (process.env.KEEP_LOGS) cpSync(paths.logs, process.env.KEEP_LOGS, { recursive: true });
      rmSync(home, { recursive: true, force: true });
    },
  };

  async function stop(role: Role): Promise<void> {
    const ref = running.get(role);
    if (ref) await stopProcess(ref, role === 'postgres' ? 'SIGQUIT' : 'SIGKILL', 5_000);
  }
}

async function temporalCli() {
  const given = process.env.PROXIE_TEST_TEMPORAL_CLI;
  if (given) return { executable: given, server: 'test' };
  const config = loadStackConfig();
  return resolveTemporalCli({
    bin: join(config.home, 'bin'),
    cache: executableCache(config.inherited),
    path: config.inherited.PATH,
    say: silent,
  });
}

/** @param specOf how to run the program at its next start */
function program(specOf: () => ManagedSpec, onChange: (role: Role, ref: ProcessRef | undefined) => void): Program {
  let spec = specOf();
  let ref: ProcessRef | undefined;
  let child: ChildProcess | undefined;

  function launch(): void {
    spec = specOf();
    mkdirSync(join(spec.logFile, '..'), { recursive: true });
    const log = openSync(spec.logFile, 'a');
    child = spawn(spec.command, [...spec.args], {
      cwd: spec.cwd,
      env: { ...spec.env },
      stdio: ['ignore', log, log],
      ...(spec.uid === undefined ? {} : { uid: spec.uid, gid: spec.gid }),
    });
    closeSync(log);
    ref = refTo(child.pid!);
    onChange(spec.role, ref);
  }

  const send = (name: NodeJS.Signals) => {
    if (!ref || !signal(ref, name)) throw new Error(`${spec.role} is not running`);
  };

  return {
    async start() {
      const until = Date.now() + 120_000;
      launch();
      while (!(await spec.isReady().catch(() => false))) {
        if (Date.now() > until) throw new Error(`${spec.role} did not start:\n${lastLines(spec.logFile, 15).join('\n')}`);
        // Postgres refuses to start while children of the killed server still run. The start is tried again, as an init system does.
        if (hasEnded(child!)) launch();
        await sleep(50);
      }
    },
    async kill() {
      const killed = ref;
      send('SIGKILL');
      await goneWithin(killed!, 5_000);
      if (ref === killed) onChange(spec.role, undefined);
    },
    freeze: () => send('SIGSTOP'),
    thaw: () => send('SIGCONT'),
    keepAlive() {
      let wanted = true;
      let deaths = 0;
      const keeping = (async () => {
        while (wanted) {
          await sleep(50);
          if (!wanted || !hasEnded(child!)) continue;
          deaths += 1;
          await this.start();
        }
      })();
      keeping.catch(() => {}); // The function below awaits this promise and throws its error.
      return async () => {
        wanted = false;
        await keeping;
        return deaths;
      };
    },
  };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

async function runReconcile(env: Record<string, string | undefined>): Promise<{ exitCode: number | null; report: ReconcileReport }> {
  const { exitCode, out, err } = await run(join(import.meta.dirname, '../../src/reconcile.ts'), env, '--json');
  if (!out.startsWith('{')) throw new Error(`reconcile ended with ${exitCode}: ${out}${err}`);
  return { exitCode, report: JSON.parse(out) as ReconcileReport };
}

/** Runs a program of a checkout to its end. */
async function run(file: string, env: Record<string, string | undefined>, ...args: string[]) {
  const child = spawn(process.execPath, [file, ...args], { env, cwd: join(dirname(file), '..'), stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => (out += text));
  child.stderr.on('data', (text) => (err += text));
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exitCode, out, err };
}
