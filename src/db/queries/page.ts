import { DomainError } from '../../domain/errors.ts';
import type { Actor } from '../../domain/actor.ts';

/** Keyset paging, newest first: rows older than `[createdAt, id]`. Lists return one row more than `limit` when there is more. */
export interface PageInput {
  limit: number;
  after?: readonly unknown[] | undefined;
}

/** SQL condition and parameters of a page; `alias` is our own text, never a client's. */
export function pageAfter({ after }: PageInput, alias: string): { where: string; params: readonly unknown[] } {
  return after ? { where: `and (${alias}.created_at, ${alias}.id) < (?::timestamptz, ?::uuid)`, params: after } : { where: '', params: [] };
}

/**
 * The row its reader may see: unknown ids are 404, foreign ones 403.
 * @param owners users to whom it belongs; operators see everything
 */
export function ownedRow<R>(row: R | undefined, actor: Actor, owners: (row: R) => readonly string[]): R {
  if (!row) throw new DomainError('not_found');
  if (actor.role !== 'admin' && !owners(row).includes(actor.id)) throw new DomainError('not_owner');
  return row;
}

/**
 * SQL condition on a list's owner and its parameters: operators see everything, so their text has none. A flag in one text for both
 * (`? or owner = ?`) would hide from Postgres that an index helps: a prepared statement may be planned for any value of the flag.
 * @param owners our own text, never a client's: each `?` is the reader
 */
export function ownedBy(actor: Actor, owners: string): { where: string; params: readonly unknown[] } {
  if (actor.role === 'admin') return { where: '', params: [] };
  return { where: `and (${owners})`, params: Array.from(owners.matchAll(/\?/g), () => actor.id) };
}

/** SQL text that prints an instant as RFC 3339 UTC with milliseconds; JavaScript reads it back without loss. */
export const instantText = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
