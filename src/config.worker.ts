// How many workflow tasks a worker runs at once, and how many runs it keeps in memory for them.
import { z } from 'zod';

const positive = z.coerce.number('must be a number').int('must be a whole number').min(1, 'must be at least 1');
export const workflowTasks = positive.min(2, 'must be at least 2, as the Temporal SDK demands').default(40);
export const cachedWorkflows = positive.default(1_000);

/** Cached runs that a worker needs for each workflow task that may run at once. */
const cachedPerTask = 4;

/**
 * A full cache can evict the run of a task that was already given to the worker. This task is lost, and Temporal gives it out
 * again after its timeout of 10 s.
 */
export function workerProblems(env: Readonly<Record<string, string | undefined>>): string[] {
  const tasks = workflowTasks.safeParse(env.WORKER_MAX_WORKFLOW_TASKS).data;
  const cached = cachedWorkflows.safeParse(env.WORKER_MAX_CACHED_WORKFLOWS).data;
  if (tasks === undefined || cached === undefined || cached >= cachedPerTask * tasks) return [];
  return [
    'WORKER_MAX_CACHED_WORKFLOWS must be at least four times WORKER_MAX_WORKFLOW_TASKS, because a task whose run is evicted comes back only after 10 s: raise WORKER_MAX_CACHED_WORKFLOWS or lower WORKER_MAX_WORKFLOW_TASKS',
  ];
}
