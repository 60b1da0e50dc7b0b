import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { loadStackConfig } from '../../src/config.ts';
import { migrate, openOrm, patient } from '../../src/db/orm.ts';
import { executableCache } from '../../src/dev/home.ts';
import { stopLeftovers } from '../../src/dev/leftovers.ts';
import { managed, type Managed, type ManagedSpec } from '../../src/dev/managed.ts';
import { ensureDatabase, preparePostgres, urlOf, withClient } from '../../src/dev/postgres.ts';
import { isRunning, refTo, signal } from '../../src/dev/process.ts';
import { step, type Say } from '../../src/dev/progress.ts';
import { readStackFile, roles, writeStackFile, type StackFile } from '../../src/dev/stack-file.ts';
import { resolveTemporalCli } from '../../src/dev/temporal-cli.ts';
import { ensureSearchAttributes, prepareTemporal } from '../../src/dev/temporal-server.ts';
import { buildWorkflowBundle } from '../../src/temporal/bundle.ts';
import { anyPort, sweepPorts } from './ports.ts';

/** The environment that suites read. It is set before Jest starts its workers. */
export interface Coordinates {
  /** URL of the server, for a user who may create databases. */
  PROXIE_TEST_POSTGRES_URL: string;
  /** Name of a migrated, empty database: `create database … template …` takes 60 ms. */
  PROXIE_TEST_TEMPLATE: string;
  PROXIE_TEST_TEMPORAL_ADDRESS: string;
  PROXIE_TEST_TEMPORAL_NAMESPACE: string;
  /** Path of the Temporal CLI; absent when TEMPORAL_ADDRESS names a server. */
  PROXIE_TEST_TEMPORAL_CLI?: string;
  /** Path of the prebuilt code of src/workflows. */
  PROXIE_TEST_BUNDLE: string;
}

export interface Servers {
  coordinates: Coordinates;
  stop(): Promise<void>;
  /** Kills the servers without waiting, for the last moment of a process. */
  killNow(): void;
}

const say: Say = (line) => void process.stderr.write(`${line}\n`);
/** Folder in which runs list the servers that they started. The next run stops the servers of a killed run. */
export const runsFolder = () => join(tmpdir(), `proxie-test-${userInfo().username}`);

/**
 * One Postgres and one Temporal server for all suites of a run, found in the same way as by `npm start`.
 * @param options.durable the servers keep on disk what they acknowledge, as `npm start` runs them; tests do not need that
 */
export async function startServers({ durable = false } = {}): Promise<Servers> {
  const config = loadStackConfig();
  await sweep();
  const folder = join(runsFolder(), `run-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const stackFile = join(folder, 'stack.json');
  const running: Managed[] = [];
  const endings: (() => Promise<void>)[] = [];
  const file: StackFile = {
    state: 'starting',
    home: folder,
    supervisor: refTo(process.pid)!,
    urls: {},
    ports: {},
    pids: {},
    started: {},
    tokens: {},
  };
  // Written at once: when this run is killed, the sweep of the next run finds its servers.
  const save = () => {
    for (const { spec, current } of running) [file.pids[spec.role], file.started[spec.role]] = [current?.pid, current?.started];
    writeStackFile(stackFile, file);
  };
  const keep = async (spec: ManagedSpec) => {
    const one = managed(spec, say, save);
    running.push(one);
    await step(say, `test set-up: ${spec.role}`, spec.waitsFor, () => one.start());
  };

  async function postgres() {
    let url = config.databaseUrl;
    let template = `proxie_template_${process.pid}`;
    if (!url) {
      const options = { folder: join(folder, 'postgres'), password: 'test', port: await anyPort(), logFile: join(folder, 'postgres.log') };
      const spec = await preparePostgres({ ...options, env: config.inherited, throwAway: !durable, maxConnections: 400 }, say);
      await keep(spec);
      url = spec.url;
      template = 'proxie_template';
    } else {
      endings.push(() =>
        withClient(
          urlOf(url!, 'postgres'),
          async (client) => void (await client.query(`drop database if exists ${template} with (force)`)),
        ),
      );
    }
    await step(say, 'test set-up: migrations', 'the statements to finish', () => makeTemplate(url!, template));
    return { PROXIE_TEST_POSTGRES_URL: urlOf(url, 'postgres'), PROXIE_TEST_TEMPLATE: template };
  }

  async function temporal() {
    const namespace = config.temporalNamespace;
    let found: { PROXIE_TEST_TEMPORAL_ADDRESS: string; PROXIE_TEST_TEMPORAL_CLI?: string };
    if (config.temporalAddress) {
      found = { PROXIE_TEST_TEMPORAL_ADDRESS: config.temporalAddress };
    } else {
      const cli = await resolveTemporalCli({
        bin: join(config.home, 'bin'),
        cache: executableCache(config.inherited),
        path: config.inherited.PATH,
        say,
      });
      const spec = prepareTemporal(
        {
          cli,
          port: await anyPort(),
          namespace,
          logFile: join(folder, 'temporal.log'),
          cwd: folder,
          env: config.inherited,
          ...(durable && { folder: join(folder, 'temporal') }),
        },
        say,
      );
      await keep(spec);
      found = { PROXIE_TEST_TEMPORAL_ADDRESS: spec.address, PROXIE_TEST_TEMPORAL_CLI: cli.executable };
    }
    const connection = await Connection.connect(
      config.temporalAddress ? config.temporal.connectionOptions : { address: found.PROXIE_TEST_TEMPORAL_ADDRESS, connectTimeout: 60_000 },
    );
    try {
      await ensureSearchAttributes(connection, namespace);
    } finally {
      await connection.close();
    }
    return { ...found, PROXIE_TEST_TEMPORAL_NAMESPACE: namespace };
  }

  async function bundle() {
    const path = join(folder, 'workflows.js');
    const { code } = await step(say, 'test set-up: workflow bundle', 'the bundler', buildWorkflowBundle);
    writeFileSync(path, code);
    return { PROXIE_TEST_BUNDLE: path };
  }

  async function stop(): Promise<void> {
    for (const end of endings) await end();
    for (const one of running.toReversed()) await one.stop();
    rmSync(folder, { recursive: true, force: true });
  }

  // All three are awaited, also when one fails, so that nothing starts after the set-up has failed.
  const results = await Promise.allSettled([postgres(), temporal(), bundle()] as const);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const [database, server, code] = results.map((result) => (result as PromiseFulfilledResult<Partial<Coordinates>>).value);
  return {
    coordinates: { ...database, ...server, ...code } as Coordinates,
    stop,
    killNow() {
      for (const { current } of running) if (current) signal(current, 'SIGKILL');
    },
  };
}

async function makeTemplate(url: string, name: string): Promise<void> {
  await ensureDatabase(url, name);
  const orm = await openOrm({ databaseUrl: urlOf(url, name), poolMax: 1, ...patient });
  try {
    await migrate(orm);
  } finally {
    await orm.close(true); // a template with an open session cannot be copied
  }
}

/** Stops the servers of killed runs and removes their folders. */
async function sweep(): Promise<void> {
  sweepPorts();
  const runs = runsFolder();
  mkdirSync(runs, { recursive: true });
  for (const name of readdirSync(runs)) {
    const folder = join(runs, name);
    const file = readStackFile(join(folder, 'stack.json'));
    if (file ? isRunning(file.supervisor) : refTo(Number(name.replace('run-', '')))) continue;
    if (roles.some((role) => file?.pids[role])) await stopLeftovers(join(folder, 'stack.json'), say);
    rmSync(folder, { recursive: true, force: true });
  }
}
