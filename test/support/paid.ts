// Bookings with payments, against a local server that speaks Stripe's protocol.
import { eventually, type Caller, type Json } from './http.ts';
import { accepted, proposeAll, seedProviders, submitRequest, untilStatus } from './play.ts';
import { startStripe, type StripeServer } from './stripe.ts';
import { startSuite, type Suite, type SuiteOptions } from './suite.ts';

export interface PaidSuite extends Suite {
  stripe: StripeServer;
}

const dayMs = 86_400_000;

export async function startPaidSuite({ policy = {}, env = {}, ...options }: SuiteOptions = {}): Promise<PaidSuite> {
  const stripe = await startStripe();
  const suite = await startSuite({ ...options, policy: { checkInEarlyMs: 90 * dayMs, ...policy }, env: { ...stripe.env, ...env } });
  const { close } = suite;
  return Object.assign(suite, {
    stripe,
    async close() {
      await close();
      await stripe.stop();
    },
  });
}

export interface PaidBooking {
  consumer: Caller;
  provider: Caller;
  requestId: string;
  bookingId: string;
  price: number;
}

/** A consumer with a payment method accepts an offer. The booking is held, and its payment is under way. */
export async function acceptedOffer(
  suite: PaidSuite,
  { method = 'pm_card_visa', subject = `consumer-${crypto.randomUUID()}` } = {},
): Promise<PaidBooking> {
  // Providers of an earlier booking would be invited too, so they are paused.
  await suite.rows("update provider set status = 'paused' where status = 'active'");
  const [seeded] = await seedProviders(suite, 1);
  const consumer = await suite.as(subject, 'consumer');
  await storeMethod(consumer, method);
  const requestId = await submitRequest(consumer);
  const [offer] = await proposeAll(suite, [seeded!], consumer, requestId);
  const { bookingId } = accepted(await consumer.post(`/offers/${offer.id}/accept`));
  return { consumer, provider: await suite.as(seeded!.subject, 'provider'), requestId, bookingId, price: offer.price.amount };
}

export const storeMethod = async (consumer: Caller, method: string): Promise<void> =>
  void accepted(await consumer.send('PUT', '/me/payment-method', { method }));

export async function paidBooking(suite: PaidSuite): Promise<PaidBooking> {
  const booking = await acceptedOffer(suite);
  await untilStatus(suite, 'booking', booking.bookingId, 'confirmed');
  return booking;
}

/** Waits until the booking's timeline has events of these types in this order, and ends with the last one. */
export async function untilTimeline(suite: Suite, bookingId: string, ...types: string[]): Promise<Json[]> {
  return eventually(
    () => suite.rows<Json>('select type, data from event where stream = ? order by seq', [`booking/${bookingId}`]),
    (events) => events.map(({ type }) => type).join() === types.join(),
    { what: `the timeline ${types.join(', ')}` },
  );
}

/** Waits until a booking that is over has no money left to move. The run of its request may go on. */
export async function booksClosed(suite: Suite, bookingId: string): Promise<void> {
  await eventually(
    () => suite.rows('select 1 from open_stream where stream = ?', [`booking/${bookingId}`]),
    (rows) => rows.length === 0,
    { what: 'the books to be closed' },
  );
}

/** All records about one booking's payments: our rows beside the ledger of the Stripe server. */
export async function moneyOf(suite: PaidSuite, bookingId: string) {
  const [ours] = await suite.rows<{ captured: number; refunded: number; open: number }>(
    `select coalesce(sum(captured), 0)::int as captured, coalesce(sum(refunded), 0)::int as refunded,
       coalesce(sum(amount) filter (where status in ('requested', 'authorised')), 0)::int as open from payment where booking_id = ?`,
    [bookingId],
  );
  const theirs = suite.stripe.ledger.of(bookingId);
  return { ours: ours!, theirs };
}
