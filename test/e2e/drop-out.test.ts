import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultPolicy } from '../../src/domain/policy.ts';
import { eventually, type Caller, type Json } from '../support/http.ts';
import { accepted, carryOut, seedProviders, submitRequest, untilConfirmed, untilStatus } from '../support/play.ts';
import { seedProvider, type SeededProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite({ policy: { checkInEarlyMs: 90 * 86_400_000 } });
});
afterAll(() => suite.close());

const hour = 3_600_000;
/** A window from tomorrow on. Such a request is not urgent before a drop-out. */
const soon = () => {
  const from = Date.now() + 30 * hour;
  return { when: { from: new Date(from).toISOString(), to: new Date(from + 5 * hour).toISOString(), zone: 'America/New_York' } };
};

interface Invited {
  id: string;
  caller: Caller;
}

/** The invitation of one provider in one round, with the caller of this provider. */
async function invitation({ id, subject }: SeededProvider, requestId: string, round: number): Promise<Invited> {
  const rows = await eventually(
    () => suite.rows<{ id: string }>('select id from offer where request_id = ? and provider_id = ? and round = ?', [requestId, id, round]),
    (found) => found.length > 0,
    { what: `the invitation of round ${round}` },
  );
  return { id: rows[0]!.id, caller: await suite.as(subject, 'provider') };
}

const invitedIn = async (requestId: string, round: number): Promise<string[]> =>
  (
    await suite.rows<{ id: string }>('select provider_id as id from offer where request_id = ? and round = ? order by 1', [
      requestId,
      round,
    ])
  ).map(({ id }) => id);

describe('the booked provider drops out', () => {
  it('who lost to them is asked again, with priority, and books; who had said no is left alone, and the consumer says nothing twice', async () => {
    const first = await seedProviders(suite, 6);
    const [winner, loser, decliner, withdrawer, ...silent] = first as [SeededProvider, SeededProvider, SeededProvider, SeededProvider];
    const consumer = await suite.as('patient', 'consumer');
    const requestId = await submitRequest(consumer, soon());
    const [offer, lost, declined, withdrawn] = await Promise.all(
      [winner, loser, decliner, withdrawer].map((provider) => invitation(provider, requestId, 1)),
    );
    // The largest number that the policy allows, more than a first round invites.
    const later = await Promise.all(Array.from({ length: 4 }, () => seedProvider(suite.orm, { price: 20_000 })));
    accepted(await declined!.caller.post(`/offers/${declined!.id}/decline`));
    accepted(await withdrawn!.caller.post(`/offers/${withdrawn!.id}/propose`));
    accepted(await withdrawn!.caller.post(`/offers/${withdrawn!.id}/withdraw`));
    for (const { id, caller } of [offer!, lost!]) accepted(await caller.post(`/offers/${id}/propose`));
    accepted(await consumer.post(`/offers/${offer!.id}/accept`));
    const dropped = await untilConfirmed(suite, requestId);
    expect(dropped.providerId).toBe(winner.id);
    // A booked request is cancelled through its booking. The answer has no link: it does not know the booking's id.
    const { status, body } = await consumer.post(`/requests/${requestId}/cancel`);
    expect({ status, allowed: body.allowed, links: body.next.slice(1) }).toEqual({ status: 409, allowed: ['cancelBooking'], links: [] });

    accepted(await dropped.winner.post(`/bookings/${dropped.bookingId}/cancel`, { reason: 'ill' }));
    const again = await invitation(loser, requestId, 2);
    expect(await invitedIn(requestId, 2)).toEqual([loser, ...silent, ...later].map(({ id }) => id).sort());

    const { items } = accepted(await consumer.get(`/requests/${requestId}/timeline`));
    const since = items.slice(items.findIndex(({ type }: Json) => type === 'request.reopened'));
    expect(since.map(({ type, data }: Json) => ({ type, ...data }))).toMatchObject([
      { type: 'request.reopened', excluded: winner.id, outcome: 'provider_dropped', next: 'priority_round' },
      { type: 'round.opened', round: 2, invited: 7, priority: true },
    ]);
    const [reopened, round] = since;
    expect(Date.parse(round.data.closesAt) - Date.parse(round.at)).toBe(defaultPolicy.roundWindowMs.urgent);
    expect(Date.parse(round.at) - Date.parse(reopened.at)).toBeLessThan(60_000);
    const { items: inbox } = accepted(await consumer.get('/me/notifications'));
    expect(inbox.map(({ kind }: Json) => kind)).toEqual(expect.arrayContaining(['booking_cancelled', 'searching_again']));

    accepted(await again.caller.post(`/offers/${again.id}/propose`));
    accepted(await consumer.post(`/offers/${again.id}/accept`));
    const second = await untilConfirmed(suite, requestId);
    expect(second).toMatchObject({ providerId: loser.id });
    expect(second.bookingId).not.toBe(dropped.bookingId);
    await carryOut(suite, requestId, second);
    // The consumer agreed once to one draft and is not asked again.
    const submitted = await suite.rows("select 1 from event where stream = ? and type = 'request.submitted'", [`request/${requestId}`]);
    expect(submitted).toHaveLength(1);
  });

  it('given they drop out as well, the next search is as urgent, and those who dropped out are never asked again', async () => {
    await suite.rows("update provider set status = 'paused'");
    const [one, two] = (await seedProviders(suite, 2)) as [SeededProvider, SeededProvider];
    const consumer = await suite.as('unlucky', 'consumer');
    const requestId = await submitRequest(consumer, { ...soon(), mode: 'instant' });
    for (const [round, provider] of [one, two].entries()) {
      const { id, caller } = await invitation(provider, requestId, round + 1);
      accepted(await caller.post(`/offers/${id}/accept`));
      const { bookingId } = await untilConfirmed(suite, requestId);
      accepted(await caller.post(`/bookings/${bookingId}/cancel`));
      await untilStatus(suite, 'booking', bookingId, 'cancelled');
      await untilStatus(suite, 'request', requestId, 'matching', 'offering', 'unfilled');
    }
    // No other provider is in reach.
    expect(await untilStatus(suite, 'request', requestId, 'unfilled')).toMatchObject({ status_reason: 'no_agreement' });
    expect(await suite.rows('select round from offer where request_id = ? and provider_id = ?', [requestId, one.id])).toEqual([
      { round: 1 },
    ]);
    expect(await suite.rows('select round from offer where request_id = ? and provider_id = ? order by 1', [requestId, two.id])).toEqual([
      { round: 1 },
      { round: 2 },
    ]);
  });
});
