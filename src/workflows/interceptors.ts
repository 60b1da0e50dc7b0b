import { ApplicationFailure, type WorkflowInterceptors } from '@temporalio/workflow';

/**
 * No workflow decides on half a task: events that are handed over without time having moved belong to a task that no worker
 * has begun. The SDK hands them over with a query, keeps the run, and begins the task with what it decided at the wrong
 * time, which no replay agrees with (decision 0024). A run that fails is forgotten, and is replayed for its task.
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
