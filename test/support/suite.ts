import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { activitiesByQueue, type ActivityDeps } from '../../src/activities/index.ts';
import { startServer, type RunningServer } from '../../src/api/server.ts';
import { DEV_ISSUER, loadConfig } from '../../src/config.ts';
import { openOrm, sql, type Orm } from '../../src/db/orm.ts';
import { storeCatalogue } from '../../src/db/queries/catalogue.ts';
import { DEV_AUDIENCE, startIssuer, type Issuer } from '../../src/dev/issuer.ts';
import { urlOf, withClient } from '../../src/dev/postgres.ts';
import { devSecrets } from '../../src/dev/secrets.ts';
import { ensureSearchAttributes } from '../../src/dev/temporal-server.ts';
import { seedCatalogue } from '../../src/domain/intake/catalogue-seed.ts';
import { dataConverter } from '../../src/temporal/data-converter.ts';
import { createWorkers } from '../../src/temporal/workers.ts';
import { caller, type Caller } from './http.ts';
import { anyPort } from './ports.ts';

/** One suite's own database, Temporal namespace, worker, issuer and API, on the shared servers of the run. */
export interface Suite {
  orm: Orm;
  databaseUrl: string;
  temporal: Client;
  namespace: string;
  url: string;
  /** The address of the issuer's keys, for an API in another process. */
  jwksUrl: string;
  /** Calls the API as a user with these roles. The same subject is the same user. */
  as(subject: string, ...roles: string[]): Promise<Caller>;
  token(subject: string, ...roles: string[]): Promise<string>;
  anonymous: Caller;
  rows<T>(text: string, params?: unknown[]): Promise<T[]>;
  /** Stops the worker; open runs wait. */
  stopWorker(): Promise<void>;
  startWorker(): Promise<void>;
  close(): Promise<void>;
}

export interface SuiteOptions {
  /** Fields that replace those of the default policy. */
  policy?: object;
  env?: Record<string, string>;
  worker?: boolean;
  /** false starts no API and no issuer, for suites that need only the database or the engine. */
  api?: boolean;
  /** Dependencies of activities that replace those of the worker. */
  deps?: Partial<ActivityDeps>;
}

const coordinate = (name: string): string => {
  const value = process.env[`PROXIE_TEST_${name}`];
  if (!value) throw new Error(`PROXIE_TEST_${name} is not set: run the tests with npm test.`);
  return value;
};

let installed = false;

/** A new database from the migrated template, with the catalogue. */
export async function newDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const admin = coordinate('POSTGRES_URL');
  const name = `suite_${randomUUID().replaceAll('-', '')}`;
  await withClient(admin, async (client) => void (await client.query(`create database ${name} template ${coordinate('TEMPLATE')}`)));
  return {
    url: urlOf(admin, name),
    drop: () => withClient(admin, async (client) => void (await client.query(`drop database if exists ${name} with (force)`))),
  };
}

/** A new namespace. Task queues have fixed names, so suites in one namespace would take each other's work. */
async function newNamespace(): Promise<{ connection: Connection; namespace: string }> {
  const connection = await Connection.connect({ address: coordinate('TEMPORAL_ADDRESS'), connectTimeout: 60_000 });
  const namespace = `suite-${randomUUID()}`;
  const day = { seconds: 86_400 as unknown as Long };
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: day });
  await ensureSearchAttributes(connection, namespace);
  return { connection, namespace };
}
type Long = NonNullable<Parameters<Connection['workflowService']['registerNamespace']>[0]['workflowExecutionRetentionPeriod']>['seconds'];

export async function startSuite({ policy = {}, env = {}, worker = true, api = true, deps = {} }: SuiteOptions = {}): Promise<Suite> {
  const folder = mkdtempSync(join(tmpdir(), 'proxie-suite-'));
  const database = await newDatabase();
  const { connection, namespace } = await newNamespace();
  const issuer: Issuer = await startIssuer((await devSecrets(join(folder, 'secrets.json'))).issuerKey, await anyPort());
  const config = loadConfig({
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    DATABASE_URL: database.url,
    PORT: String(await anyPort()),
    AUTH_JWKS_URL: issuer.jwksUrl,
    AUTH_ISSUER: DEV_ISSUER,
    AUTH_AUDIENCE: DEV_AUDIENCE,
    CURSOR_SECRET: 'a-secret-of-the-tests-with-32-bytes!',
    TEMPORAL_ADDRESS: coordinate('TEMPORAL_ADDRESS'),
    TEMPORAL_NAMESPACE: namespace,
    RATE_LIMIT_PER_MINUTE: '100000',
    // A busy shared machine may be slower than a caller's usual deadline.
    COMMAND_DEADLINE_MS: '60000',
    RATE_LIMIT_ANONYMOUS_PER_MINUTE: '100000',
    POLICY: JSON.stringify(policy),
    ...env,
  });
  const orm = await openOrm({ databaseUrl: database.url, poolMax: 20, applicationName: 'proxie-test', connectTimeoutMs: 60_000 });
  await storeCatalogue(orm.em.fork(), seedCatalogue);
  const temporal = new Client({ connection, namespace, dataConverter: dataConverter() });
  const server: RunningServer | undefined = api ? await startServer(config, pino({ level: 'silent' })) : undefined;
  let stop: (() => Promise<void>) | undefined;

  async function startWorker(): Promise<void> {
    // Installed only when a worker starts: a runtime that no worker has used keeps its process alive.
    if (!installed)
      Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
    installed = true;
    const workers = await createWorkers({
      ...config.temporal,
      queues: config.worker.queues,
      activities: activitiesByQueue({ orm, temporal, config, ...deps }),
      workflowBundle: { code: readFileSync(coordinate('BUNDLE'), 'utf8') },
      shutdownGraceMs: 2_000,
      maxWorkflowTasks: config.worker.maxWorkflowTasks,
      maxCachedWorkflows: 200,
      stackTraces: config.worker.stackTraces,
    });
    const drained = workers.run();
    stop = async () => {
      workers.shutdown();
      await drained;
      await workers.close();
    };
  }
  if (worker) await startWorker();
  const token = (subject: string, ...roles: string[]) => issuer.token({ subject, roles });
  const url = server?.url ?? '';
  const stopWorker = async () => {
    await stop?.();
    stop = undefined;
  };

  return {
    orm,
    databaseUrl: database.url,
    temporal,
    namespace,
    url,
    jwksUrl: issuer.jwksUrl,
    as: async (subject, ...roles) => caller(url, await token(subject, ...roles)),
    token,
    anonymous: caller(url),
    rows: (text, params) => sql(orm.em.fork(), text, params),
    stopWorker,
    startWorker,
    async close() {
      await server?.close();
      await stopWorker();
      await issuer.close();
      await connection.close();
      await orm.close(true);
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
