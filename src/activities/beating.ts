import { heartbeat } from '@temporalio/activity';

/**
 * Tells Temporal that this process is alive for as long as `work` lasts, so that a worker that dies in it is noticed by the heartbeat timeout.
 * @param everyMs what takes less sends no heartbeat
 */
export async function beating<T>(everyMs: number, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => heartbeat(), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
