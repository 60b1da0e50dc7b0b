// A connection that gives its place in the pool back when it breaks, at whatever point of a transaction.
// oxlint-disable-next-line proxie/one-sql-path -- the client below the pool
import pg from 'pg';

type Result = Promise<unknown>;

/**
 * Kysely keeps a connection whose `begin`, `commit` or `rollback` failed (kysely issue 1990): after a restart of Postgres a pool would
 * be as much smaller as it had transactions open, and empty in the end. test/integration/pool.test.ts notices when this is mended there.
 */
export class PooledClient extends pg.Client {
  /** The pool's, while the connection is taken. */
  declare release?: (error: Error) => void;

  override query(...input: never[]): never {
    const result = super.query(...(input as [never])) as Result;
    const [text] = input as unknown[];
    if (text === 'rollback') return result.catch(() => this.#rolledBack()) as never;
    if (typeof text === 'string' && /^(begin|start transaction)\b/.test(text))
      return result.catch((error) => this.#notBegun(error)) as never;
    return result as never;
  }

  /** Nobody will give it back: Kysely has no transaction to end. */
  #notBegun(error: Error): never {
    this.release?.(error);
    throw error;
  }

  /** Ending a session rolls it back, too; a connection in an unknown state must not be used again. */
  #rolledBack(): { command: string; rowCount: number; rows: [] } {
    void this.end().catch(() => undefined);
    return { command: 'ROLLBACK', rowCount: 0, rows: [] };
  }
}
