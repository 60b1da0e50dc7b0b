// A connection that leaves the pool when it breaks, at any point of a transaction.
// oxlint-disable-next-line proxie/one-sql-path -- the client below the pool
import pg from 'pg';

type Result = Promise<unknown>;

/**
 * Kysely does not return a connection to the pool when its `begin`, `commit` or `rollback` failed (kysely issue 1990). After a
 * restart of Postgres the pool would lose one place for each open transaction, until it is empty. test/integration/pool.test.ts
 * fails once Kysely has fixed this, and this class can go.
 */
export class PooledClient extends pg.Client {
  /** Set by the pool while the connection is in use. */
  declare release?: (error: Error) => void;

  override query(...input: never[]): never {
    const result = super.query(...(input as [never])) as Result;
    const [text] = input as unknown[];
    if (text === 'rollback') return result.catch(() => this.#rolledBack()) as never;
    if (typeof text === 'string' && /^(begin|start transaction)\b/.test(text))
      return result.catch((error) => this.#notBegun(error)) as never;
    return result as never;
  }

  /** Returns the connection to the pool. Kysely does not, because it has no transaction to end. */
  #notBegun(error: Error): never {
    this.release?.(error);
    throw error;
  }

  /** Ends the session, which rolls the transaction back too. A connection in an unknown state must not be used again. */
  #rolledBack(): { command: string; rowCount: number; rows: [] } {
    void this.end().catch(() => undefined);
    return { command: 'ROLLBACK', rowCount: 0, rows: [] };
  }
}
