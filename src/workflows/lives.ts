// The lives of a run's streams. Each goes on by itself: what stops one does not stop the others.
import { isCancellation } from '@temporalio/workflow';
import { alarm, type Alarm } from './alarm.ts';
import { broken } from './refusal.ts';
import type { Streams } from './streams.ts';

export interface Lives {
  /** The clock of all lives of the run. */
  readonly clock: Alarm;
  /**
   * Runs a life until it ends. A life whose code throws is parked: the run is marked for attention, and the life begins again from the
   * folded state when an operator has repaired the cause and sent `catchUp`.
   */
  begin(name: string, life: () => Promise<void>): void;
  /** Whether every life waits for its clock or has ended, so that the run may continue as a new one. */
  atRest(): boolean;
  /** Waits until every life has ended. A life ends when its run is cancelled. */
  ended(): Promise<unknown>;
}

export function lives(run: Streams): Lives {
  const clock = alarm();
  const all: Promise<void>[] = [];
  let alive = 0;

  async function live(name: string, life: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await life();
        return;
      } catch (error) {
        if (isCancellation(error)) throw error;
        broken(name, error);
        run.attention.flag(`${name} life`);
        await run.repaired();
        run.attention.flag(`${name} life`, false);
      }
    }
  }

  return {
    clock,
    begin(name, life) {
      alive += 1;
      const one = live(name, life).finally(() => (alive -= 1));
      // The run waits for its lives at its end only, and a cancelled life is no error before that.
      one.catch(() => {});
      all.push(one);
    },
    atRest: () => clock.resting() >= alive && run.idle(),
    ended: () => Promise.allSettled(all),
  };
}
