import { ApplicationFailure } from '@temporalio/common';
import { append, type AppendInput } from '../db/timeline.ts';
import { sqlStateOf } from '../db/transaction.ts';
import type { Orm } from '../db/orm.ts';
import type { Appended, EventBase } from '../domain/timeline.ts';

/** SQLSTATE classes that no retry cures: bad values, broken constraints, wrong SQL. Everything else (no connection, read-only, full) passes. */
const hopeless = /^(22|23|42)/;

export type AppendActivities = ReturnType<typeof timelineActivities>;

export function timelineActivities({ orm }: { orm: Orm }) {
  return {
    /** A local activity: one transaction, run again without harm. */
    async append<E extends EventBase>(input: AppendInput<E>): Promise<Appended<E>> {
      try {
        return await append(orm, input);
      } catch (error) {
        const state = sqlStateOf(error);
        if (state && hopeless.test(state)) throw ApplicationFailure.nonRetryable(`append was refused by Postgres (${state})`, 'internal');
        throw error;
      }
    },
  };
}
