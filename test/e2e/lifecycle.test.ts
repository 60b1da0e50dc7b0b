import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventsOf } from '../../src/db/timeline.ts';
import { decideRequest } from '../../src/domain/request/decide.ts';
import { emptyRequest, evolveRequest } from '../../src/domain/request/evolve.ts';
import type { RequestTimelineEvent } from '../../src/domain/request/types.ts';
import { eventually, type Caller } from '../support/http.ts';
import { leakRequest, seedPlace, seedProvider, type SeededProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';
import { writeUnheard } from '../support/unheard.ts';

let suite: Suite;
let providers: SeededProvider[];

beforeAll(async () => {
  suite = await startSuite();
  await seedPlace(suite.orm);
  providers = await Promise.all([1, 2, 3].map((n) => seedProvider(suite.orm, { price: 10_000 + n * 1_000 })));
});
afterAll(() => suite.close());

const stored = async (consumer: Caller, requestId: string) => (await consumer.get(`/requests/${requestId}`)).body;

/** The provider's side: finds the invitation in their own leads. */
async function invitationOf(provider: SeededProvider, requestId: string): Promise<{ caller: Caller; offerId: string }> {
  const caller = await suite.as(provider.subject, 'provider');
  const leads = await eventually(
    async () => (await caller.get('/leads?status=invited')).body.items,
    (items) => items.some(({ offer }: { offer: { requestId: string } }) => offer.requestId === requestId),
    { what: 'the invitation' },
  );
  return { caller, offerId: leads.find(({ offer }: { offer: { requestId: string } }) => offer.requestId === requestId).offer.id };
}

/** From a booked request to a completed one, and the whole timeline behind it. */
async function carryThrough(consumer: Caller, requestId: string, address: string | null = '1 Main Street'): Promise<void> {
  const booked = await eventually(
    () => stored(consumer, requestId),
    ({ status }) => status === 'booked',
    { what: 'the booking' },
  );
  const { body: held } = await consumer.get(`/bookings/${booked.bookingId}`);
  const winner = await suite.as(`provider-${held.provider.id}`, 'provider');
  await eventually(
    async () => (await winner.get(`/bookings/${booked.bookingId}`)).body,
    ({ status }) => status === 'confirmed',
    { what: 'the confirmation' },
  );
  const { checkInCode: code } = (await consumer.get(`/bookings/${booked.bookingId}`)).body;
  expect(await winner.post(`/bookings/${booked.bookingId}/check-in`, { code })).toMatchObject({
    status: 200,
    body: { status: 'in_progress', address },
  });
  expect(await winner.post(`/bookings/${booked.bookingId}/complete`, { finalPrice: { amount: 10_000, currency: 'USD' } })).toMatchObject({
    status: 200,
    body: { status: 'completed', finalPrice: { amount: 10_000 } },
  });
  const done = await eventually(
    () => stored(consumer, requestId),
    ({ status }) => status === 'completed',
    { what: 'completion' },
  );
  expect(done).toMatchObject({ acceptedOfferId: held.offerId, bookingId: held.id });
  expect(done.closedAt).not.toBeNull();
}

describe('a whole request over HTTP', () => {
  it('structured: created, offered, accepted, booked, completed', async () => {
    const consumer = await suite.as('structured-consumer', 'consumer');
    const { status, body: created } = await consumer.post('/requests', leakRequest({ submit: true }));
    expect({ status, missing: created.missing }).toEqual({ status: 201, missing: [] });
    expect(['matching', 'offering']).toContain(created.status); // matching follows the answer at once
    for (const provider of providers) {
      const { caller, offerId } = await invitationOf(provider, created.id);
      expect(await caller.post(`/offers/${offerId}/propose`)).toMatchObject({ status: 200, body: { status: 'proposed' } });
    }
    const { body: offers } = await consumer.get(`/requests/${created.id}/offers`);
    expect(offers.items).toHaveLength(3);
    const accepted = await consumer.post(`/offers/${offers.items[0].id}/accept`);
    expect(accepted).toMatchObject({ status: 201, body: { status: 'accepted', bookingId: expect.any(String) } });
    expect(accepted.headers.get('location')).toBe(`/api/v1/bookings/${accepted.body.bookingId}`);
    await carryThrough(consumer, created.id);
    const { body: timeline } = await consumer.get(`/requests/${created.id}/timeline`);
    expect(timeline.items.map(({ type }: { type: string }) => type)).toEqual([
      'request.opened',
      'request.edited',
      'request.submitted',
      'round.opened',
      'offer.proposed',
      'offer.proposed',
      'offer.proposed',
      'round.closed',
      'offer.accepted',
      'request.completed',
    ]);
  });

  it('by chat: said, asked back, confirmed by an explicit yes, booked, completed', async () => {
    const consumer = await suite.as('chat-consumer', 'consumer');
    const said = await consumer.post('/chat', {
      message: 'My kitchen sink is leaking, can somebody come to Downtown as soon as possible?',
    });
    expect(said).toMatchObject({ status: 202, body: { requestId: expect.any(String), turnId: expect.any(String) } });
    const { requestId } = said.body;
    const answer = async (turnId: string) =>
      (
        await eventually(
          () => consumer.get(`/chat/${requestId}/turns/${turnId}`),
          ({ body }) => body.status === 'done',
          { what: 'the answer' },
        )
      ).body;
    const confirm = await answer(said.body.turnId);
    expect(confirm).toMatchObject({ intent: 'confirm', reply: expect.stringContaining('Leak repair') });
    expect((await stored(consumer, requestId)).status).toBe('intake'); // Nothing is sent before the consumer's yes.
    const yes = await consumer.post('/chat', { message: 'Yes, please send it.', requestId });
    expect(await answer(yes.body.turnId)).toMatchObject({ intent: 'submit' });
    const { caller, offerId } = await invitationOf(providers[0]!, requestId);
    // In compare mode a provider's yes to an invitation is only a proposal: no booking exists yet.
    expect(await caller.post(`/offers/${offerId}/accept`)).toMatchObject({ status: 200, body: { status: 'proposed', bookingId: null } });
    expect((await consumer.post(`/offers/${offerId}/accept`)).status).toBe(201);
    await carryThrough(consumer, requestId, null);
  });

  it("a provider's acceptance as a raw signal from a client that shares no code", async () => {
    const consumer = await suite.as('signal-consumer', 'consumer');
    const { body: created } = await consumer.post('/requests', leakRequest({ submit: true, mode: 'instant' }));
    const { offerId } = await invitationOf(providers[1]!, created.id);
    await suite.temporal.workflow
      .getHandle(`request/${created.id}`)
      .signal('offerAccepted', { offerId, providerId: providers[1]!.id, eventId: randomUUID() });
    await carryThrough(consumer, created.id);
  });

  it('fault 2: a signal that a run does not understand because it is behind its timeline counts once it has caught up', async () => {
    const consumer = await suite.as('behind-consumer', 'consumer');
    const { body: created } = await consumer.post('/requests', leakRequest({ submit: true }));
    const { caller, offerId } = await invitationOf(providers[2]!, created.id);
    expect(await caller.post(`/offers/${offerId}/propose`)).toMatchObject({ status: 200 });
    // The counter-offer is on the timeline, but the run has not folded it yet.
    const stream = `request/${created.id}`;
    const events = await eventsOf<RequestTimelineEvent>(suite.orm.em.fork(), stream, 0);
    const state = events.reduce(evolveRequest, emptyRequest);
    const by = { id: state.consumerId, role: 'consumer' as const };
    const { currency, startsAt, endsAt, zone } = state.offers[offerId]!;
    const terms = { price: 11_500, currency, startsAt, endsAt, zone };
    const counter = { id: randomUUID(), by, do: 'counterOffer' as const, offerId, terms };
    await writeUnheard(suite.orm, stream, by, decideRequest(state, counter, Date.now()));
    const fact = { offerId, providerId: providers[2]!.id, eventId: randomUUID() };
    await suite.temporal.workflow.getHandle(stream).signal('offerAccepted', fact);
    const booked = await eventually(
      () => stored(consumer, created.id),
      ({ status }) => status === 'booked',
      { what: 'the booking' },
    );
    expect((await consumer.get(`/bookings/${booked.bookingId}`)).body).toMatchObject({ price: { amount: 11_500 } });
    const refused = await suite.rows("select 1 from event where stream = ? and type = 'command.refused'", [stream]);
    expect(refused).toEqual([]);
  });
});
