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
  /** The most connections that this process opens. */
  poolMax?: number;
  /** Milliseconds after which Postgres ends a statement; 0 is never. */
  statementTimeoutMs?: number;
  /** Milliseconds a connection may take to open. */
  connectTimeoutMs?: number;
  applicationName?: string;
}

/** Options for work that no caller waits for: building an index in a migration can take minutes. */
export const patient = { statementTimeoutMs: 0, connectTimeoutMs: 60_000 } satisfies Partial<OrmOptions>;

/** Makes the ORM. It connects at the first statement, so an unreachable database raises no error here. */
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
    // Without this, MikroORM guesses from argv. Under plain jest it then migrated nothing, without an error.
    preferTs: import.meta.url.endsWith('.ts'),
    forceUtcTimezone: true,
    allowGlobalContext: false,
    // The result or the error tells the caller everything, so MikroORM logs nothing.
    logger: () => {},
    discovery: { warnWhenNoEntities: true },
    // Each new connection costs both sides a key derivation, so a connection stays open for a minute without work.
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
 * The one way to run SQL: the rows of a statement with `?` placeholders, in the transaction of `em` if there is one.
 * Values are bound, never written into the text (docs/decisions/0025-one-sql-path.md). Two rules follow. The text is the same for all values. A placeholder gets a cast where
 * its place does not tell its type (`?::text is null`, `select ?::uuid`).
 * @param options.prepared true where the best plan is the same for all values and for tables of any size: Postgres then parses and plans
 *   the text once per connection
 */
export async function sql<Row>(em: Db, text: string, params: readonly unknown[] = [], { prepared = false } = {}): Promise<Row[]> {
  // oxlint-disable-next-line proxie/one-sql-path -- this is the path
  const { rows } = await em.getKysely().executeQuery<Row>(statementOf(text, params, { prepared }));
  return rows;
}
