import { setTimeout as sleep } from 'node:timers/promises';
import type { Db, Orm } from './orm.ts';

/** Rolls the transaction back. It never leaves `inTransaction`, so no caller sees it as an error. */
export class NotWritten extends Error {}

/** SQLSTATEs that mean "try the same transaction again". */
const retryable = new Set(['40001', '40P01']);
const attempts = 4;

interface Thrown {
  code?: unknown;
  message?: unknown;
  errors?: readonly unknown[];
  cause?: unknown;
}

/** An error and its chain of causes. Compared by shape, because drivers' errors may come from another realm. */
export function* causesOf(error: unknown): Generator<Thrown> {
  for (let thrown = error; typeof thrown === 'object' && thrown !== null; thrown = (thrown as Thrown).cause) yield thrown as Thrown;
}

export const sqlStateOf = (error: unknown): string | undefined => {
  for (const { code } of causesOf(error)) if (typeof code === 'string') return code;
  return undefined;
};

/**
 * Runs `work` in a transaction on an entity manager of its own. Deadlocks and serialization failures are tried again.
 * @returns the result of `work`, or false when `work` decided to write nothing (NotWritten)
 */
export async function inTransaction<T>(orm: Orm, work: (tx: Db) => Promise<T>): Promise<T | false> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await orm.em.fork().transactional((tx) => work(tx as Db));
    } catch (error) {
      if (error instanceof NotWritten) return false;
      if (attempt === attempts || !retryable.has(sqlStateOf(error) ?? '')) throw error;
      await sleep(attempt * 10);
    }
  }
}
