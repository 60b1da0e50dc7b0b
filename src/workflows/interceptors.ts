import { ApplicationFailure, type WorkflowInterceptors } from '@temporalio/workflow';

/**
 * Keeps a run from deciding on events whose workflow task no worker has begun. Such events arrive when the history has grown and the time
 * has not moved: the SDK hands them over with a query. It would keep the run, and begin the task with decisions made at the wrong time,
 * which no replay agrees with (decision 0024). A run that throws here is removed from the cache and replayed for its task.
 */
export const interceptors = (): WorkflowInterceptors => {
  let known = { events: 0, time: '' };
  return {
    internals: [
      {
        activate(input, next) {
          const { historyLength, timestamp, isReplaying } = input.activation;
          const now = { events: historyLength ?? 0, time: `${String(timestamp?.seconds)}.${timestamp?.nanos}` };
          const half = now.events > known.events && now.time === known.time;
          if (half && !isReplaying) throw ApplicationFailure.create({ message: 'a task is waiting: ask again' });
          known = now;
          next(input);
        },
      },
    ],
  };
};
