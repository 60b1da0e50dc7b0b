// Folds commands of any noun in memory in the same way as the actor, for tests of the pure rules.
import type { EventBase, Recorded } from '../../src/domain/timeline.ts';
import type { Actor } from '../../src/domain/actor.ts';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export function fold<S, C extends { id: string; by: Actor }, E extends EventBase>(rules: {
  initial: S;
  decide: (state: S, command: C, now: number) => E[];
  evolve: (state: S, event: Recorded<E>) => S;
}) {
  let state = rules.initial;
  const events: Recorded<E>[] = [];
  let count = 0;
  return {
    events,
    get state() {
      return state;
    },
    /** Decides a command and folds its events. @returns the written events @throws the refusal */
    send(command: DistributiveOmit<C, 'id'> & { id?: string }, now: number): E[] {
      const id = command.id ?? `command-${(count += 1)}`;
      const written = rules.decide(state, { ...command, id } as unknown as C, now);
      for (const event of written) record(event, id, command.by, now);
      return written;
    },
    /** Folds an event that the run of another stream has written. */
    record,
  };

  function record(event: E, commandId: string, by: Actor, now: number): void {
    const recorded = { ...event, seq: events.length + 1, commandId, at: new Date(now).toISOString(), by };
    events.push(recorded);
    state = rules.evolve(state, recorded);
  }
}
