import { heartbeat } from '@temporalio/activity';

/**
 * Sends heartbeats as long as `work` lasts, so that the heartbeat timeout detects a dead worker.
 * @param everyMs time between two heartbeats; shorter work sends none
 */
export async function beating<T>(everyMs: number, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => heartbeat(), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
