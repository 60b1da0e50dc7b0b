import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';

/** One timer for all deadlines of a run. Every timer is billed, so the timer is set again only for an earlier instant. */
export interface Alarm {
  /**
   * Waits until `done()`, and at most until the deadline. The deadline may change during the wait.
   * @param deadline instant in milliseconds since the epoch, or null for none
   * @returns true when done, false when the deadline has passed
   */
  until(done: () => boolean, deadline: () => number | null, summary: string): Promise<boolean>;
  disarm(): void;
}

export function alarm(): Alarm {
  let armed: { at: number; scope: CancellationScope } | null = null;

  function disarm(): void {
    const timer = armed;
    armed = null;
    timer?.scope.cancel();
  }

  function arm(at: number, summary: string): void {
    disarm();
    const timer = { at, scope: new CancellationScope({ cancellable: true }) };
    armed = timer;
    timer.scope
      .run(() => sleep(Math.max(1, at - Date.now()), { summary }))
      .then(() => {
        if (armed === timer) armed = null;
      })
      .catch((error) => {
        if (!isCancellation(error)) throw error;
      });
  }

  return {
    disarm,
    async until(done, deadline, summary) {
      for (;;) {
        if (done()) return true;
        const at = deadline();
        if (at !== null && at <= Date.now()) return false;
        if (at !== null && (!armed || armed.at > at)) arm(at, summary);
        await condition(() => done() || deadline() !== at || (at !== null && armed === null));
      }
    },
  };
}
