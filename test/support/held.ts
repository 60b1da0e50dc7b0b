// A booking that is held, with the request that led to it, written as an acceptance writes them, but at an instant of choice.
import { randomUUID } from 'node:crypto';
import { rebuild } from '../../src/activities/rebuild.ts';
import { requestWorkflowId } from '../../src/contracts/request.messages.ts';
import { append } from '../../src/db/timeline.ts';
import type { BookingHeld } from '../../src/domain/booking/types.ts';
import type { RequestTimelineEvent } from '../../src/domain/request/types.ts';
import { city } from './seed.ts';
import type { Suite } from './suite.ts';

/** Writes both timelines and their rows. Nothing runs yet. @param at RFC 3339 @param location value of the request's fact */
export async function hold(suite: Suite, held: BookingHeld, { at, location = city }: { at: string; location?: object }): Promise<void> {
  const { requestId, offerId, bookingId, consumerId, providerId, policy, price, currency, startsAt, endsAt, zone, service } = held;
  // Complete, so that the search can go on after a drop-out.
  const values = { service, location, when: { from: startsAt, to: endsAt, zone } };
  const facts = Object.keys(values).map((key) => ({ key, factId: randomUUID() }));
  await suite.rows(
    `insert into fact (id, stream, key, value, status)
     select f."factId", ?, f.key, (?::jsonb) -> f.key, 'current' from jsonb_to_recordset(?::jsonb) as f(key text, "factId" uuid)`,
    [requestWorkflowId(requestId), JSON.stringify(values), JSON.stringify(facts)],
  );
  const draft = { facts, service, missing: [], hash: 'held', price: null, windowEndsAt: endsAt, region: null };
  const audience = [consumerId];
  const events: RequestTimelineEvent[] = [
    { type: 'request.opened', requestId, consumerId, mode: 'compare', catalogueVersion: 1, policy, audience },
    { type: 'request.edited', draft, mode: 'compare', audience },
    { type: 'request.submitted', draftHash: 'held', urgency: 'flexible', facts, audience },
    { type: 'round.opened', round: 1, radiusKm: 20, invited: 1, remindAt: at, closesAt: endsAt, audience },
    {
      type: 'offer.invited',
      requestId,
      offerId,
      providerId,
      round: 1,
      score: 1,
      expiresAt: endsAt,
      price,
      currency,
      startsAt,
      endsAt,
      zone,
    },
    { type: 'offer.accepted', offerId, bookingId, providerId, audience: [consumerId, providerId] },
    { ...held, stream: `booking/${bookingId}`, audience: [consumerId, providerId] },
  ];
  const command = { id: 'hold', by: { id: consumerId, role: 'consumer' as const } };
  const written = await append(suite.orm, { stream: requestWorkflowId(requestId), after: 0, command, at, events });
  if (written.is !== 'written') throw new Error(`not held: ${JSON.stringify(written)}`);
}

/** Starts the run of a request from its timelines, as a repair does. */
export async function run(suite: Suite, requestId: string) {
  await rebuild({ orm: suite.orm, temporal: suite.temporal }, requestWorkflowId(requestId));
  return suite.temporal.workflow.getHandle(requestWorkflowId(requestId));
}
