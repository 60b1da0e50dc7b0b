// Folds commands of a request in memory in the same way as the actor, for tests of the pure rules.
import { decideRequest } from '../../src/domain/request/decide.ts';
import { emptyRequest, evolveRequest } from '../../src/domain/request/evolve.ts';
import { defaultPolicy, type Policy } from '../../src/domain/policy.ts';
import type { Actor } from '../../src/domain/actor.ts';
import type { RequestCommand, RequestState, RequestTimelineEvent } from '../../src/domain/request/types.ts';
import type { DraftChanges, DraftSummary } from '../../src/domain/request/draft.ts';
import type { Invitation } from '../../src/domain/request/offer.ts';

export const consumer: Actor = { id: '00000000-0000-4000-8000-00000000000c', role: 'consumer' };
export const providerActor = (n: number): Actor => ({ id: `00000000-0000-4000-8000-0000000000a${n}`, role: 'provider' });
export const noon = Date.parse('2026-06-01T12:00:00.000Z');

export const readyDraft: DraftSummary = {
  facts: [],
  service: 'plumbing.leak',
  missing: [],
  hash: 'hash-1',
  price: { min: 10_000, max: 50_000, currency: 'USD' },
  windowEndsAt: '2026-06-01T16:00:00.000Z',
  region: 'Downtown',
};

export const terms = {
  price: 15_000,
  currency: 'USD' as const,
  startsAt: '2026-06-01T13:00:00.000Z',
  endsAt: '2026-06-01T14:00:00.000Z',
  zone: 'UTC',
};
export const invitation = (n: number): Invitation => ({ ...terms, offerId: `offer-${n}`, providerId: providerActor(n).id, score: 90 - n });

/** The changes that make an empty draft ready, except for the facts with these keys. */
export const readyChanges = (...without: string[]): DraftChanges => ({
  basedOn: 0,
  set: ['service', 'location', 'when']
    .filter((key) => !without.includes(key))
    .map((key, n) => ({ key, factId: `00000000-0000-4000-8000-00000000000${n + 1}` })),
  drop: [],
  service: { code: readyDraft.service, required: ['service', 'location', 'when'], price: readyDraft.price },
  windowEndsAt: readyDraft.windowEndsAt!,
  region: readyDraft.region!,
});

/** One request and its timeline in memory. */
export function requestRun(mode: 'compare' | 'instant' = 'compare', policy: Policy = defaultPolicy) {
  let state: RequestState = emptyRequest;
  let seq = 0;
  let count = 0;
  const events: RequestTimelineEvent[] = [];
  function send(command: Omit<RequestCommand, 'id'> & { id?: string }, now = noon): RequestTimelineEvent[] {
    const id = command.id ?? `command-${(count += 1)}`;
    const written = decideRequest(state, { ...command, id } as RequestCommand, now);
    for (const event of written) {
      events.push(event);
      if (event.stream) continue;
      seq += 1;
      state = evolveRequest(state, { ...event, seq, commandId: id, at: new Date(now).toISOString(), by: command.by });
    }
    return written;
  }
  send({
    do: 'open',
    by: consumer,
    requestId: 'request-1',
    consumerId: consumer.id,
    mode,
    catalogueVersion: 1,
    policy,
  } as never);
  return {
    send: send as (command: DistributiveOmit<RequestCommand, 'id'> & { id?: string }, now?: number) => RequestTimelineEvent[],
    events,
    get state() {
      return state;
    },
  };
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A request whose first round has invited `count` providers. */
export function offeringRun(count = 3, mode: 'compare' | 'instant' = 'compare', policy: Policy = defaultPolicy) {
  const run = requestRun(mode, policy);
  run.send({ do: 'editRequest', by: consumer, changes: readyChanges(), submit: true });
  run.send({
    do: 'invite',
    by: { id: 'system', role: 'system' },
    round: 1,
    radiusKm: 10,
    invitations: Array.from({ length: count }, (_, n) => invitation(n)),
  });
  return run;
}
