import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { reconcile } from '../../src/activities/reconcile.ts';
import { SYSTEM } from '../../src/domain/actor.ts';
import type { BookingEvent } from '../../src/domain/booking/types.ts';
import { eventually } from '../support/http.ts';
import { accepted, proposeAll, seedProviders, submitRequest, untilStatus } from '../support/play.ts';
import {
  acceptedOffer,
  booksClosed,
  moneyOf,
  paidBooking,
  startPaidSuite,
  storeMethod,
  untilTimeline,
  type PaidBooking,
  type PaidSuite,
} from '../support/paid.ts';
import { writeUnheard } from '../support/unheard.ts';

let suite: PaidSuite;
const operator = { id: '00000000-0000-4000-8000-0000000000aa', role: 'admin' };

beforeAll(async () => {
  suite = await startPaidSuite({
    policy: {
      holdMs: 4_000,
      holdExtensionMs: 4_000,
      paymentRetryMs: 2_500,
      reauthoriseBeforeMs: 2_000,
      noShowGraceMs: 0,
      // Nobody writes a review here: a run ends as soon as its books are closed.
      reviewRemindMs: 1,
      reviewPublishMs: 1,
    },
  });
});
afterAll(() => suite?.close());
afterEach(() => {
  suite.stripe.calm();
  expect(suite.stripe.ledger.problems()).toEqual([]);
});

const run = ({ requestId }: { requestId: string }) => suite.temporal.workflow.getHandle(`request/${requestId}`);
const intervene = (booking: PaidBooking, action: string, more: object = {}) =>
  run(booking).executeUpdate('interveneBooking', {
    args: [{ id: crypto.randomUUID(), by: operator, bookingId: booking.bookingId, action, ticket: 'T-1', reason: 'because', ...more }],
  });
const needsAttention = async (booking: PaidBooking) => {
  const { typedSearchAttributes } = await run(booking).describe();
  return typedSearchAttributes.getAll().find(({ key }) => key.name === 'ProxieNeedsAttention')?.value;
};
const begin = async ({ consumer, bookingId }: PaidBooking) => accepted(await consumer.post(`/bookings/${bookingId}/check-in`));

describe('hold → authorise → confirm → tell both', () => {
  it('the price is reserved before the booking is confirmed, and taken when the job is done: the final price, the rest is given back', async () => {
    const booking = await paidBooking(suite);
    const { bookingId, price, provider } = booking;
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ authorised: price, open: price, captured: 0, authorisations: 1 });
    await begin(booking);
    accepted(await provider.post(`/bookings/${bookingId}/complete`, { finalPrice: { amount: price - 500, currency: 'USD' } }));
    await expect(run(booking).result()).resolves.toEqual({ outcome: 'completed' });
    const { ours, theirs } = await moneyOf(suite, bookingId);
    expect(theirs).toMatchObject({ authorised: price, captured: price - 500, released: 500, open: 0, refunded: 0 });
    expect(ours).toEqual({ captured: price - 500, refunded: 0, open: 0 });
    await untilTimeline(
      suite,
      bookingId,
      'booking.held',
      'payment.requested',
      'payment.authorised',
      'booking.confirmed',
      'booking.checked_in',
      'booking.completed',
      'payment.captured',
      'payment.closed',
    );
  });

  it('given a declined card, the hold is kept once for another try; paying with another card confirms it', async () => {
    const { bookingId, consumer } = await acceptedOffer(suite, { method: 'pm_card_chargeCustomerFail' });
    const events = await untilTimeline(suite, bookingId, 'booking.held', 'payment.requested', 'payment.declined', 'booking.hold_extended');
    const [row] = await suite.rows<{ held_until: Date }>('select held_until from booking where id = ?', [bookingId]);
    expect(new Date(row!.held_until).toISOString()).toBe(events.at(-1).data.heldUntil);
    await storeMethod(consumer, 'pm_card_visa');
    accepted(await consumer.post(`/bookings/${bookingId}/pay`));
    await untilStatus(suite, 'booking', bookingId, 'confirmed');
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ authorisations: 1 });
  });

  it('given a declined card and no other, the hold runs out after one extension, and the request ends with the reason', async () => {
    const { bookingId, requestId, consumer } = await acceptedOffer(suite, { method: 'pm_card_chargeCustomerFail' });
    await untilStatus(suite, 'booking', bookingId, 'released');
    await untilStatus(suite, 'request', requestId, 'cancelled');
    expect(accepted(await consumer.get(`/requests/${requestId}`)).statusReason).toBe('payment_failed');
    const types = (
      await suite.rows<{ type: string }>('select type from event where stream = ? order by seq', [`booking/${bookingId}`])
    ).map(({ type }) => type);
    expect(types).toEqual(['booking.held', 'payment.requested', 'payment.declined', 'booking.hold_extended', 'booking.released']);
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ authorisations: 0 });
  });

  it('a request that never heard of the end of its unpaid booking is told by the self-check what it was', async () => {
    const { bookingId, requestId, consumer } = await acceptedOffer(suite, { method: 'pm_card_chargeCustomerFail' });
    await untilTimeline(suite, bookingId, 'booking.held', 'payment.requested', 'payment.declined', 'booking.hold_extended');
    await run({ requestId }).terminate('as the test wishes');
    const released: BookingEvent = { type: 'booking.released', code: 'hold_expired' };
    await writeUnheard(suite.orm, `booking/${bookingId}`, SYSTEM, [released]);
    expect((await reconcile(suite, { quietMs: 0 })).started).toEqual([`request/${requestId}`]);
    await untilStatus(suite, 'request', requestId, 'cancelled');
    expect(accepted(await consumer.get(`/requests/${requestId}`)).statusReason).toBe('payment_failed');
  });

  it('without a payment method the acceptance is refused, says what to do, and the offer stays open', async () => {
    await suite.rows("update provider set status = 'paused' where status = 'active'");
    const poor = await suite.as(`consumer-${crypto.randomUUID()}`, 'consumer');
    const providers = await seedProviders(suite, 1);
    const requestId = await submitRequest(poor);
    const [offer] = await proposeAll(suite, providers, poor, requestId);
    const refused = await poor.post(`/offers/${offer.id}/accept`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'payment_method_missing', next: [{ action: 'change' }] } });
    await storeMethod(poor, 'pm_card_visa');
    accepted(await poor.post(`/offers/${offer.id}/accept`));
  });
});

describe('compensation, newest first', () => {
  it('given an authorisation whose answer never arrives, it is undone before the slot is given up', async () => {
    suite.stripe.fault('confirm', ...Array.from({ length: 40 }, () => ({ at: 'answering', do: 'drop' }) as const));
    const { bookingId } = await acceptedOffer(suite);
    await untilStatus(suite, 'booking', bookingId, 'released');
    await untilTimeline(suite, bookingId, 'booking.held', 'payment.requested', 'payment.released', 'booking.released');
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ open: 0, captured: 0 });
  });

  it('given a release that gives up, the run needs attention, and goes on when an operator says so', async () => {
    suite.stripe.fault('confirm', ...Array.from({ length: 40 }, () => ({ at: 'answering', do: 'drop' }) as const));
    suite.stripe.fault('cancel', ...Array.from({ length: 200 }, () => ({ at: 'arriving', do: 'fail' }) as const));
    const booking = await acceptedOffer(suite);
    const { bookingId } = booking;
    await eventually(
      () => suite.rows("select 1 from event where stream = ? and type = 'payment.stuck'", [`booking/${bookingId}`]),
      (rows) => rows.length > 0,
      {
        what: 'the stuck compensation',
        withinMs: 30_000,
      },
    );
    await eventually(
      () => needsAttention(booking),
      (value) => value === true,
      { what: 'ProxieNeedsAttention' },
    );
    suite.stripe.calm();
    await intervene(booking, 'retry_payment');
    await untilStatus(suite, 'booking', bookingId, 'released');
    await run(booking).result();
    expect(await needsAttention(booking)).toBe(false);
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ open: 0, captured: 0 });
  });

  it('given a run that is cancelled in the middle of the saga, nothing stays reserved and the slot is free', async () => {
    const held = suite.stripe.hold('confirm', 'answering');
    const booking = await acceptedOffer(suite);
    const { bookingId } = booking;
    await held.reached;
    await run(booking).cancel();
    held.letGo();
    await untilStatus(suite, 'booking', bookingId, 'released');
    await expect(run(booking).result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ open: 0, captured: 0 });
  });
});

describe('the end of a booking and its money', () => {
  it('given a provider who drops out, everything is given back and the request searches again', async () => {
    const { bookingId, requestId, provider, price } = await paidBooking(suite);
    accepted(await provider.post(`/bookings/${bookingId}/cancel`, { reason: 'ill' }));
    await booksClosed(suite, bookingId);
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ released: price, open: 0, captured: 0 });
    const reopened = await eventually(
      () => suite.rows("select data from event where stream = ? and type = 'request.reopened'", [`request/${requestId}`]),
      (rows) => rows.length === 1,
      { what: 'the search to go on' },
    );
    expect(reopened).toHaveLength(1);
  });

  it('given a consumer who cancels late, the fee of the tier is taken and the rest given back', async () => {
    const booking = await paidBooking(suite);
    const { bookingId, consumer, price } = booking;
    accepted(await consumer.post(`/bookings/${bookingId}/cancel`, {}));
    await expect(run(booking).result()).resolves.toEqual({ outcome: 'cancelled' });
    const [row] = await suite.rows<{ fee: number }>('select fee from booking where id = ?', [bookingId]);
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ captured: row!.fee, released: price - row!.fee, open: 0 });
    expect(row!.fee).toBeGreaterThan(0);
  });

  it('given a dispute, the ruling gives back what it says, and not more than was taken', async () => {
    const booking = await paidBooking(suite);
    const { bookingId, consumer, provider, price } = booking;
    await begin(booking);
    accepted(await provider.post(`/bookings/${bookingId}/complete`));
    await run(booking).result();
    accepted(await consumer.post(`/bookings/${bookingId}/dispute`, { reason: 'it still leaks' }));
    await untilStatus(suite, 'booking', bookingId, 'disputed');
    await expect(intervene(booking, 'rule', { refund: price + 1 })).rejects.toMatchObject({ cause: { type: 'price_out_of_bounds' } });
    await intervene(booking, 'rule', { refund: 4_000 });
    await run(booking).result();
    await untilStatus(suite, 'booking', bookingId, 'settled');
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ captured: price, refunded: 4_000 });
  });

  it('given a capture that gives up, the request hears of the end all the same, and a write-off closes the books', async () => {
    const booking = await paidBooking(suite);
    const { bookingId, requestId, provider } = booking;
    await begin(booking);
    suite.stripe.fault('capture', ...Array.from({ length: 200 }, () => ({ at: 'arriving', do: 'fail' }) as const));
    accepted(await provider.post(`/bookings/${bookingId}/complete`));
    await untilStatus(suite, 'request', requestId, 'completed');
    await eventually(
      () => needsAttention(booking),
      (value) => value === true,
      { what: 'ProxieNeedsAttention' },
    );
    suite.stripe.calm();
    await intervene(booking, 'write_off');
    await run(booking).result();
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ captured: 0, open: 0 });
  });
});

describe('an authorisation that does not last until the end', () => {
  const renewed = [
    'booking.held',
    'payment.requested',
    'payment.authorised',
    'booking.confirmed',
    'payment.requested',
    'payment.authorised',
  ];

  afterEach(() => {
    suite.stripe.settings.captureWindowS = null;
    suite.stripe.sendWebhooksTo(undefined);
  });

  it('is replaced before it lapses, and only then given back', async () => {
    suite.stripe.settings.captureWindowS = 4;
    const { bookingId, price } = await paidBooking(suite);
    suite.stripe.settings.captureWindowS = null;
    const events = await untilTimeline(suite, bookingId, ...renewed, 'payment.released');
    expect(events.at(-1).data).toMatchObject({ attempt: 1 });
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ authorisations: 2, open: price, released: price });
  });

  it('given a card that is declined by then, the consumer is told, and the booking is cancelled when the old one lapses', async () => {
    suite.stripe.settings.captureWindowS = 4;
    const booking = await paidBooking(suite);
    const { bookingId, requestId, consumer } = booking;
    await storeMethod(consumer, 'pm_card_chargeCustomerFail');
    await untilStatus(suite, 'booking', bookingId, 'cancelled');
    await run(booking).result();
    await untilStatus(suite, 'request', requestId, 'cancelled');
    const { items } = accepted(await consumer.get('/me/notifications'));
    const kinds = items.map(({ kind }: { kind: string }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['payment_declined', 'booking_cancelled', 'payment_failed']));
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ captured: 0, open: 0 });
  });

  it('given one that is lost outside, the webhook tells it and another takes its place', async () => {
    suite.stripe.sendWebhooksTo(`${suite.url}/webhooks/stripe`);
    const { bookingId, price } = await paidBooking(suite);
    const [{ ref }] = (await suite.rows<{ ref: string }>('select ref from payment where booking_id = ?', [bookingId])) as [{ ref: string }];
    suite.stripe.lapse(ref);
    const lost = ['booking.held', 'payment.requested', 'payment.authorised', 'booking.confirmed', 'payment.released'];
    await untilTimeline(suite, bookingId, ...lost, 'payment.requested', 'payment.authorised');
    expect((await moneyOf(suite, bookingId)).theirs).toMatchObject({ authorisations: 2, open: price });
  });
});
