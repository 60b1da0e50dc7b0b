import { ApplicationFailure } from '@temporalio/common';
import { append, unknownTo, type AppendInput } from '../db/timeline.ts';
import { sqlStateOf } from '../db/transaction.ts';
import type { Orm } from '../db/orm.ts';
import type { Appended, EventBase, Known, StreamEvents } from '../domain/timeline.ts';

/**
 * SQLSTATE classes of errors that no retry cures: bad values (22), broken constraints (23), wrong SQL (42). All other errors can pass (no
 * connection, read-only, disk full).
 */
const hopeless = /^(22|23|42)/;

export type AppendActivities = ReturnType<typeof timelineActivities>;

export function timelineActivities({ orm }: { orm: Orm }) {
  return {
    /**
     * A local activity: one transaction, which may safely run again. @throws ApplicationFailure, not retryable, for an error that no retry
     * cures
     */
    async append<E extends EventBase>(input: AppendInput<E>): Promise<Appended<E>> {
      try {
        return await append(orm, input);
      } catch (error) {
        const state = sqlStateOf(error);
        if (state && hopeless.test(state)) throw ApplicationFailure.nonRetryable(`append was refused by Postgres (${state})`, 'internal');
        throw error;
      }
    },

    /** A local activity: the events that a run does not know yet. Reads and writes nothing else. */
    readTimelines: (known: Known[]): Promise<StreamEvents[]> => unknownTo(orm.em.fork(), known),
  };
}
