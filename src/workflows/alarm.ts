import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';

/**
 * One timer for all deadlines of a run: it rings at the earliest of what its waits are due at. Every timer is billed, so the timer is set
 * again only for an earlier instant, or after `disarm`.
 */
export interface Alarm {
  /**
   * Waits until `done()`, and at most until the deadline. The deadline may change during the wait.
   * @param deadline instant in milliseconds since the epoch, or null for none
   * @returns true when done, false when the deadline has passed
   */
  until(done: () => boolean, deadline: () => number | null, summary: string): Promise<boolean>;
  /** Waits until `done()`, however long that takes. */
  rest(done: () => boolean): Promise<unknown>;
  /** Takes the timer back at the end of a stage; waits that still need it set it again. */
  disarm(): void;
  /** Number of waits that are going on. */
  resting(): number;
}

export function alarm(): Alarm {
  let armed: { at: number; scope: CancellationScope } | null = null;
  let resting = 0;

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

  async function until(done: () => boolean, deadline: () => number | null, summary: string): Promise<boolean> {
    for (;;) {
      if (done()) return true;
      const at = deadline();
      if (at !== null && at <= Date.now()) return false;
      if (at !== null && (!armed || armed.at > at)) arm(at, summary);
      resting += 1;
      try {
        await condition(() => done() || deadline() !== at || (at !== null && armed === null));
      } finally {
        resting -= 1;
      }
    }
  }

  return { disarm, resting: () => resting, until, rest: (done) => until(done, () => null, '') };
}
