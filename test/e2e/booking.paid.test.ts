// Tests what the two sides see of a booking's money. test/workflow/paid-booking.test.ts tests how the money moves.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/http.ts';
import {
  acceptedOffer,
  booksClosed,
  moneyOf,
  paidBooking,
  startPaidSuite,
  storeMethod,
  untilTimeline,
  type PaidSuite,
} from '../support/paid.ts';
import { accepted, untilStatus } from '../support/play.ts';

let suite: PaidSuite;
beforeAll(async () => {
  const dayMs = 86_400_000;
  const tiers = [
    { beforeMs: 30 * dayMs, feePercent: 0 },
    { beforeMs: 0, feePercent: 40 },
  ];
  suite = await startPaidSuite({ policy: { cancellation: { version: 'paid', tiers } } });
});
afterAll(() => suite?.close());

const usd = (amount: number) => ({ amount, currency: 'USD' });
const zero = usd(0);

describe('the money of a booking, as its two sides see it', () => {
  it('reserved, then taken, then given back by a ruling; never more than is there', async () => {
    const { consumer, provider, bookingId, price } = await paidBooking(suite);
    const path = `/bookings/${bookingId}`;
    const seen = async () => {
      const views = await Promise.all([consumer, provider].map(async (reader) => accepted(await reader.get(path)).payment));
      expect(views[0]).toEqual(views[1]);
      return views[0];
    };
    expect(await seen()).toEqual({ status: 'authorised', authorised: usd(price), captured: zero, refunded: zero });
    accepted(await consumer.post(`${path}/check-in`));
    accepted(await provider.post(`${path}/complete`, { finalPrice: usd(price - 500) }));
    await booksClosed(suite, bookingId);
    expect(await seen()).toEqual({ status: 'captured', authorised: zero, captured: usd(price - 500), refunded: zero });
    accepted(await consumer.post(`${path}/dispute`, { reason: 'it leaks again' }));
    const operator = await suite.as('operator', 'admin');
    const rule = (refund: number) =>
      operator.post(`/admin${path}/intervene`, { action: 'rule', ticket: 'T-1', reason: 'both were heard', refund: usd(refund) });
    expect(await rule(price)).toMatchObject({ status: 422, body: { code: 'price_out_of_bounds' } });
    accepted(await rule(2_000));
    await booksClosed(suite, bookingId);
    expect(await seen()).toEqual({ status: 'captured', authorised: zero, captured: usd(price - 500), refunded: usd(2_000) });
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ captured: price - 500, refunded: 2_000 });
  });

  it('the preview of a cancellation is what is taken and what is given back', async () => {
    const { consumer, bookingId, price } = await paidBooking(suite);
    const path = `/bookings/${bookingId}`;
    const preview = accepted(await consumer.get(`${path}/cancel/preview`));
    const fee = Math.round(price * 0.4);
    expect(preview).toMatchObject({ fee: usd(fee), feePercent: 40, released: usd(price - fee), policyVersion: 'paid' });
    expect(accepted(await consumer.post(`${path}/cancel`, { fee: preview.fee }))).toMatchObject({ fee: preview.fee });
    await booksClosed(suite, bookingId);
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({
      captured: preview.fee.amount,
      released: preview.released.amount,
      open: 0,
    });
  });

  it('given a decline, only the consumer reads why; both see that it is not paid for, and paying again confirms it', async () => {
    const { consumer, provider, bookingId } = await acceptedOffer(suite, { method: 'pm_card_chargeCustomerFail' });
    const path = `/bookings/${bookingId}`;
    await untilTimeline(suite, bookingId, 'booking.held', 'payment.requested', 'payment.declined', 'booking.hold_extended');
    expect(accepted(await provider.get(path)).payment).toMatchObject({ status: 'declined', authorised: zero });
    const typesFor = async (reader: typeof consumer) =>
      accepted(await reader.get(`${path}/timeline`)).items.map(({ type }: { type: string }) => type);
    expect(await typesFor(consumer)).toContain('payment.declined');
    expect(await typesFor(provider)).not.toContain('payment.declined');
    const { items } = accepted(await consumer.get('/me/notifications'));
    expect(items.map(({ kind }: { kind: string }) => kind)).toContain('payment_declined');
    await storeMethod(consumer, 'pm_card_visa');
    accepted(await consumer.post(`${path}/pay`));
    await untilStatus(suite, 'booking', bookingId, 'confirmed');
    // Clients do not see the payment provider's id of the payment.
    const timeline = await eventually(
      async () => accepted(await consumer.get(`${path}/timeline`)).items,
      (all) => all.some(({ type }: { type: string }) => type === 'payment.authorised'),
    );
    expect(timeline.find(({ type }: { type: string }) => type === 'payment.authorised').data).not.toHaveProperty('ref');
  });
});
