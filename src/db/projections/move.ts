import type { EntityData, EntityName, FilterQuery } from '@mikro-orm/postgresql';
import { DomainError } from '../../domain/errors.ts';
import type { Machine } from '../../domain/machine.ts';
import type { EventMeta } from '../../domain/timeline.ts';
import type { Db } from '../orm.ts';

type EventOf<E, T> = E extends { type: infer U } ? (T extends U ? E : never) : never;

/** What each event type of one stream does to rows. A new event without an entry does not compile. */
export type Projectors<E extends { type: string }> = {
  [T in E['type']]: (tx: Db, event: EventOf<E, T> & EventMeta) => Promise<unknown>;
};

/**
 * Moves a row as the machine allows: the update's `from` list lets Postgres itself refuse an illegal transition.
 * @throws row_disagrees when the row is not where its timeline says; nothing is guessed over
 */
export async function move<T extends { id: string; status: string }, S extends string, M extends string>(
  tx: Db,
  entity: EntityName<T>,
  machine: Machine<string, S, M>,
  id: string,
  step: M,
  change: EntityData<T> = {},
): Promise<void> {
  const { from, to } = machine.moves[step];
  const where = { id, status: { $in: [...from] } } as FilterQuery<T>;
  const moved = await tx.nativeUpdate(entity, where, { ...change, status: to } as EntityData<T>);
  if (moved !== 1) throw new DomainError('row_disagrees', `The ${machine.noun} row cannot ${step}.`);
}

/** A half-open Postgres range of two RFC 3339 instants. */
export const rangeOf = (startsAt: string, endsAt: string) => `[${startsAt},${endsAt})`;
