import { fileURLToPath } from 'node:url';
import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, MikroORM, type EntityManager } from '@mikro-orm/postgresql';
import { entities } from './entities/index.ts';
import { PreparingClient, statementOf } from './statement.ts';

export type Orm = MikroORM;
export type Db = EntityManager;

const ownFolder = fileURLToPath(new URL('./migrations', import.meta.url));

export interface OrmOptions {
  databaseUrl: string;
  /** Connections this process may hold. */
  poolMax?: number;
  /** Milliseconds after which Postgres ends a statement; 0 is never. */
  statementTimeoutMs?: number;
  /** Milliseconds a connection may take to open. */
  connectTimeoutMs?: number;
  applicationName?: string;
}

/** For work no caller waits for: a migration may build an index for minutes. */
export const patient = { statementTimeoutMs: 0, connectTimeoutMs: 60_000 } satisfies Partial<OrmOptions>;

/** Connects lazily: an unreachable database shows at the first statement, not here. */
export async function openOrm(options: OrmOptions): Promise<Orm> {
  return MikroORM.init(ormConfig(options));
}

export function ormConfig({
  databaseUrl,
  poolMax = 10,
  statementTimeoutMs = 10_000,
  connectTimeoutMs = 5_000,
  applicationName = 'proxie',
}: OrmOptions) {
  return defineConfig({
    clientUrl: databaseUrl,
    entities,
    extensions: [Migrator],
    // It guesses from argv otherwise: under plain jest it silently migrated nothing.
    preferTs: import.meta.url.endsWith('.ts'),
    forceUtcTimezone: true,
    allowGlobalContext: false,
    // Nothing is logged that its caller does not learn from the result or the error.
    logger: () => {},
    discovery: { warnWhenNoEntities: true },
    // A new connection costs a key derivation on both sides: worth keeping over a quiet minute.
    pool: { min: 0, max: poolMax, idleTimeoutMillis: 60_000 },
    driverOptions: {
      Client: PreparingClient,
      application_name: applicationName,
      statement_timeout: statementTimeoutMs,
      connectionTimeoutMillis: connectTimeoutMs,
    },
    migrations: {
      path: ownFolder,
      pathTs: ownFolder,
      snapshotName: '.snapshot',
      glob: '!(*.d).{js,ts}',
      tableName: 'migration',
      snapshot: false,
    },
  });
}

/** Brings the schema to the newest migration; safe to run from several processes at once. */
export async function migrate(orm: Orm): Promise<void> {
  await orm.migrator.up();
}

/**
 * The one way to run SQL: rows of a statement with `?` placeholders, inside the transaction of `em` where there is one.
 * Values are bound, never written into the text, and Postgres parses a text once per connection (docs/decisions/0025-one-sql-path.md).
 * Two rules follow: a text is the same whatever the values are, and a placeholder whose place does not tell its type
 * gets a cast (`?::text is null`, `select ?::uuid`).
 * @param options.replan the best plan depends on the values: plan anew each time, not once for all of them
 */
export async function sql<Row>(em: Db, text: string, params: readonly unknown[] = [], { replan = false } = {}): Promise<Row[]> {
  // oxlint-disable-next-line proxie/one-sql-path -- this is the path
  const { rows } = await em.getKysely().executeQuery<Row>(statementOf(text, params, { replan }));
  return rows;
}
