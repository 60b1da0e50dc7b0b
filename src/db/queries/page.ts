import { DomainError } from '../../domain/errors.ts';
import type { Actor } from '../../domain/actor.ts';

/** Keyset paging, newest first: rows older than `[createdAt, id]`. A list returns `limit + 1` rows when another page follows. */
export interface PageInput {
  limit: number;
  after?: readonly unknown[] | undefined;
}

/** SQL condition and parameters of a page; `alias` is our own text, never a client's. */
export function pageAfter({ after }: PageInput, alias: string): { where: string; params: readonly unknown[] } {
  return after ? { where: `and (${alias}.created_at, ${alias}.id) < (?::timestamptz, ?::uuid)`, params: after } : { where: '', params: [] };
}

/**
 * The row, if the actor may see it.
 * @param owners ids of the users who own the row; operators see every row
 * @throws not_found (404) when there is no row, not_owner (403) for a row of other users
 */
export function ownedRow<R>(row: R | undefined, actor: Actor, owners: (row: R) => readonly string[]): R {
  if (!row) throw new DomainError('not_found');
  if (actor.role !== 'admin' && !owners(row).includes(actor.id)) throw new DomainError('not_owner');
  return row;
}

/**
 * SQL condition on the owner of a list's rows, and its parameters. Operators see everything, so their text has no condition.
 * One text with a flag for both (`? or owner = ?`) would hide from Postgres that an index helps: Postgres may plan a prepared
 * statement for any value of the flag.
 * @param owners our own text, never a client's; each `?` is the actor's id
 */
export function ownedBy(actor: Actor, owners: string): { where: string; params: readonly unknown[] } {
  if (actor.role === 'admin') return { where: '', params: [] };
  return { where: `and (${owners})`, params: Array.from(owners.matchAll(/\?/g), () => actor.id) };
}

/** SQL text that prints an instant as RFC 3339 UTC with milliseconds; JavaScript reads it back without loss. */
export const instantText = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
