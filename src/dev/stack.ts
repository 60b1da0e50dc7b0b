import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StackConfig } from '../config.ts';
import { workflowBundle } from './bundle.ts';
import { executableCache, homePaths, makeHome } from './home.ts';
import { stopLeftovers } from './leftovers.ts';
import { releaseLock } from './lock.ts';
import { echoErrors } from './log-echo.ts';
import { managed, type Managed, type ManagedSpec } from './managed.ts';
import { portChooser } from './ports.ts';
import { refTo } from './process.ts';
import { StackError, step, type Say } from './progress.ts';
import { apiProgram, workerProgram } from './programs.ts';
import { devSecrets } from './secrets.ts';
import { removeStackFile, roles, writeStackFile, type StackFile } from './stack-file.ts';
import { prepareDatabase, startDatabase, startIdentity, startTemporal, type Settings, type StackContext } from './stack.parts.ts';

export interface Stack {
  readonly file: StackFile;
  /** Resolves when every process is ready. @throws StackError; call `stop` then too */
  start(): Promise<void>;
  /**
   * Drains in order (API, worker, Temporal, Postgres), then removes the stack file and the lock. It can be called at any time
   * and more than once.
   */
  stop(): Promise<void>;
}

/** The stack that `npm start` runs for one home. The caller holds the home's lock. */
export function createStack(config: StackConfig, say: Say): Stack {
  const paths = homePaths(config.home);
  const running = new Map<string, Managed>();
  const endings: (() => void | Promise<void>)[] = [];
  const file: StackFile = {
    state: 'starting',
    home: paths.root,
    supervisor: refTo(process.pid)!,
    urls: {},
    ports: {},
    pids: {},
    started: {},
    tokens: {},
  };
  let starting: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;

  function save(): void {
    for (const role of roles) {
      const current = running.get(role)?.current;
      file.pids[role] = current?.pid;
      file.started[role] = current?.started;
    }
    writeStackFile(paths.stackFile, file);
  }

  const context: StackContext = {
    config,
    paths,
    say,
    file,
    choosePort: portChooser(join(executableCache(config.inherited), '..', 'ports'), say),
    async keep(title: string, spec: ManagedSpec) {
      if (stopping) throw new StackError('Stopped while starting.');
      const one = managed(spec, say, save);
      running.set(spec.role, one);
      await step(say, title, spec.waitsFor, () => one.start());
    },
    atEnd: (end) => void endings.push(end),
  };

  async function begin(): Promise<void> {
    makeHome(paths);
    await stopLeftovers(paths.stackFile, say);
    save();
    for (const warning of config.warnings) say(`! ${warning}`);
    await bringUp(context);
    file.state = 'ready';
    save();
  }

  async function end(): Promise<void> {
    file.state = 'stopping';
    save();
    for (const role of roles.toReversed()) {
      const one = running.get(role);
      if (one?.current) await step(say, `stopping ${role}`, `${role} to finish what it is doing`, () => one.stop());
      else await one?.stop();
    }
    // A step that has begun (a download, initdb) may finish, for at most 10 s.
    await Promise.race([starting?.catch(() => undefined), sleep(10_000, undefined, { ref: false })]);
    for (const finish of endings) await finish();
    removeStackFile(paths.stackFile);
    releaseLock(paths.lockFile);
  }

  return {
    file,
    start: () => (starting ??= begin()),
    stop: () => (stopping ??= end()),
  };
}

/** Starts the servers side by side, then API and worker. */
async function bringUp(context: StackContext): Promise<void> {
  const { config, paths, file, say, choosePort, keep, atEnd } = context;
  const production = config.environment === 'production';
  const secrets = production ? undefined : await devSecrets(paths.secrets);
  const apiPort = await choosePort({ what: 'the API', key: 'PORT', wanted: config.ports.api, from: 3_000, host: config.host });
  const metricsPort = await choosePort({
    what: 'worker metrics',
    key: 'WORKER_METRICS_PORT',
    wanted: config.ports.workerMetrics,
    from: 9_464,
    host: config.host,
  });
  const graceMs = config.shutdownGraceMs ?? (production ? 70_000 : 10_000);
  const host = ['0.0.0.0', '::'].includes(config.host) ? '127.0.0.1' : config.host;
  const [apiUrl, workerUrl] = [`http://${host}:${apiPort}`, `http://${host}:${metricsPort}`];
  const env: Settings = {
    ...config.inherited,
    NODE_ENV: config.environment,
    HOST: config.host,
    PORT: String(apiPort),
    WORKER_METRICS_PORT: String(metricsPort),
    // On a laptop people look at the "Call Stack" in the Web UI.
    WORKER_STACK_TRACES: config.inherited.WORKER_STACK_TRACES ?? (production ? 'off' : 'on'),
    WORKER_SHUTDOWN_GRACE_MS: String(graceMs),
    // The demo allows check-in 90 days early. Otherwise nobody could try it until shortly before the appointment.
    ...(production || config.inherited.POLICY ? {} : { POLICY: JSON.stringify({ checkInEarlyMs: 90 * 24 * 3_600_000 }) }),
    ...(secrets ? await startIdentity(context, secrets) : {}),
  };

  const database = async () => {
    env.DATABASE_URL = file.urls.database = await startDatabase(context, secrets?.postgresPassword ?? '');
    await step(say, production ? 'migrations' : 'migrations and demo city', 'the statements to finish', () =>
      prepareDatabase(env, production),
    );
  };
  const [, temporal, bundle] = await allSettled(database(), startTemporal(context), workflowBundle(join(paths.root, 'cache'), say));
  Object.assign(env, temporal);

  Object.assign(file.ports, { api: apiPort, workerMetrics: metricsPort });
  await allSettled(
    keep('worker', workerProgram(paths, env, { url: workerUrl, graceMs: graceMs + 10_000, bundle })),
    keep(`API on port ${apiPort}`, apiProgram(paths, env, apiUrl)),
  );
  for (const role of ['api', 'worker'] as const) atEnd(echoErrors(join(paths.logs, `${role}.log`), role, say));
  Object.assign(file.urls, { api: apiUrl, docs: `${apiUrl}/api/docs`, workerMetrics: workerUrl });
}

/** Awaits all works, also when one fails, so that nothing starts after the failure was reported. */
async function allSettled<T extends readonly Promise<unknown>[]>(...work: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
  return Promise.all(work) as Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>;
}
