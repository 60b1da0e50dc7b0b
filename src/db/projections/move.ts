import type { EntityData, EntityName } from '@mikro-orm/postgresql';
import { DomainError } from '../../domain/errors.ts';
import type { Machine } from '../../domain/machine.ts';
import type { EventMeta } from '../../domain/timeline.ts';
import { sql, type Db } from '../orm.ts';

type EventOf<E, T> = E extends { type: infer U } ? (T extends U ? E : never) : never;

/** What each event type of one stream does to rows. An event type without an entry does not compile. */
export type Projectors<E extends { type: string }> = {
  [T in E['type']]: (tx: Db, event: EventOf<E, T> & EventMeta) => Promise<unknown>;
};

/** For events that change no row: readers take their content from the timeline. */
export const nothing = async (): Promise<void> => {};

/** Moves one row; see `moveAll`. */
export const move = <T extends { id: string; status: string }, S extends string, M extends string>(
  tx: Db,
  entity: EntityName<T>,
  machine: Machine<string, S, M>,
  id: string,
  step: M,
  change: EntityData<T> = {},
): Promise<void> => moveAll(tx, entity, machine, [id], step, change);

/**
 * Moves rows as the machine allows: the update's `from` list makes Postgres itself refuse an illegal transition.
 * @throws row_disagrees when a row does not have the status that its timeline implies; the row is never overwritten by a guess
 */
export async function moveAll<T extends { id: string; status: string }, S extends string, M extends string>(
  tx: Db,
  entity: EntityName<T>,
  machine: Machine<string, S, M>,
  ids: readonly string[],
  step: M,
  change: EntityData<T>,
): Promise<void> {
  const { from, to } = machine.moves[step];
  const { tableName, properties } = tx.getMetadata().get(entity);
  const changes = Object.entries(change).filter(([, value]) => value !== undefined);
  const columns = changes.map(([key]) => properties[key as keyof typeof properties]);
  const moved = await sql(
    tx,
    // oxlint-disable-next-line proxie/constant-sql -- one text for each move of a machine and the columns that it changes
    `update ${tableName} set ${columns.map(({ fieldNames, columnTypes }) => `${fieldNames[0]} = ?::${columnTypes[0]}, `).join('')}status = ?
     where id = any(?::uuid[]) and status = any(?::text[]) returning id`,
    [...changes.map(([, value], at) => boundValue(value, columns[at]!.columnTypes[0]!)), to, ids, from],
    { prepared: true },
  );
  if (moved.length !== ids.length) throw new DomainError('row_disagrees', `The ${machine.noun} row cannot ${step}.`);
}

const boundValue = (value: unknown, columnType: string) => {
  if (value instanceof Date) return value.toISOString();
  if (columnType.endsWith('[]')) return value;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
};

/** A half-open Postgres range of two RFC 3339 instants. */
export const rangeOf = (startsAt: string, endsAt: string) => `[${startsAt},${endsAt})`;
