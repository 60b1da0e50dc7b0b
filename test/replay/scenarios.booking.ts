// Requests whose booking is paid for: every way their commands can differ. Nobody writes a review, so the reviews close at once.
import { accepted, codeOf, untilStatus } from '../support/play.ts';
import { acceptedOffer, booksClosed, paidBooking, storeMethod, untilTimeline, type PaidBooking, type PaidSuite } from '../support/paid.ts';
import { eventually } from '../support/http.ts';
import type { Policy } from '../../src/domain/policy.ts';
import type { Recording, Stage } from './scenarios.ts';

export const paidPolicy: Partial<Policy> = {
  holdMs: 4_000,
  holdExtensionMs: 4_000,
  paymentRetryMs: 2_000,
  reauthoriseBeforeMs: 2_000,
  noShowGraceMs: 0,
  checkInEarlyMs: 90 * 86_400_000,
  reviewRemindMs: 1,
  reviewPublishMs: 1,
};

type PaidStage = Stage & { suite: PaidSuite };

export const paid: readonly ((stage: PaidStage) => Promise<Recording[]>)[] = [
  completed,
  declined,
  released,
  lost,
  stuck,
  renewed,
  rescheduled,
  disputed,
  runCancelled,
];

const recording = (name: string, { requestId }: PaidBooking, runId?: string): Recording => ({
  name: `request.${name}`,
  workflowId: `request/${requestId}`,
  ...(runId && { runId }),
});
const manyTimes = <T>(fault: T): T[] => Array.from({ length: 60 }, () => fault);
const runOf = (suite: PaidSuite, { requestId }: PaidBooking) => suite.temporal.workflow.getHandle(`request/${requestId}`);

async function carryOut(suite: PaidSuite, booking: PaidBooking): Promise<void> {
  const { provider, bookingId } = booking;
  accepted(await provider.post(`/bookings/${bookingId}/check-in`, { code: await codeOf(suite, bookingId) }));
  accepted(await provider.post(`/bookings/${bookingId}/complete`));
  await runOf(suite, booking).result();
}

async function intervene(suite: PaidSuite, bookingId: string, action: string, more: object = {}): Promise<void> {
  const operator = await suite.as('operator', 'admin');
  accepted(await operator.post(`/admin/bookings/${bookingId}/intervene`, { action, ticket: 'T-1', reason: 'recorded', ...more }));
}

async function completed({ suite }: PaidStage): Promise<Recording[]> {
  const booking = await paidBooking(suite);
  await carryOut(suite, booking);
  return [recording('paid', booking)];
}

/** Declined, tried again with another card, cancelled for a fee. */
async function declined({ suite }: PaidStage): Promise<Recording[]> {
  const booking = await acceptedOffer(suite, { method: 'pm_card_chargeCustomerFail' });
  const { consumer, bookingId } = booking;
  await untilTimeline(suite, bookingId, 'booking.held', 'payment.requested', 'payment.declined', 'booking.hold_extended');
  await storeMethod(consumer, 'pm_card_visa');
  accepted(await consumer.post(`/bookings/${bookingId}/pay`));
  await untilStatus(suite, 'booking', bookingId, 'confirmed');
  accepted(await consumer.post(`/bookings/${bookingId}/cancel`));
  return [recording('declined-then-cancelled', booking)];
}

async function released({ suite }: PaidStage): Promise<Recording[]> {
  const booking = await acceptedOffer(suite, { method: 'pm_card_chargeCustomerFail' });
  await untilStatus(suite, 'booking', booking.bookingId, 'released');
  return [recording('unpaid', booking)];
}

/** Nobody hears whether it was authorised: undone. */
async function lost({ suite }: PaidStage): Promise<Recording[]> {
  suite.stripe.fault('confirm', ...manyTimes({ at: 'answering', do: 'drop' } as const));
  const booking = await acceptedOffer(suite);
  await untilStatus(suite, 'booking', booking.bookingId, 'released');
  suite.stripe.calm();
  return [recording('authorisation-lost', booking)];
}

/** A provider who drops out: everything is given back, and the search is called off. A capture that gives up, retried by an operator. */
async function stuck({ suite }: PaidStage): Promise<Recording[]> {
  const dropped = await paidBooking(suite);
  accepted(await dropped.provider.post(`/bookings/${dropped.bookingId}/cancel`));
  await booksClosed(suite, dropped.bookingId);
  await untilStatus(suite, 'request', dropped.requestId, 'unfilled');
  const other = await paidBooking(suite);
  suite.stripe.fault('capture', ...manyTimes({ at: 'arriving', do: 'fail' } as const));
  accepted(await other.consumer.post(`/bookings/${other.bookingId}/cancel`));
  await eventually(
    () => suite.rows("select 1 from event where stream = ? and type = 'payment.stuck'", [`booking/${other.bookingId}`]),
    (rows) => rows.length > 0,
    { what: 'the stuck capture', withinMs: 30_000 },
  );
  suite.stripe.calm();
  await intervene(suite, other.bookingId, 'retry_payment');
  return [recording('dropped-out-paid', dropped), recording('capture-stuck', other)];
}

async function renewed({ suite }: PaidStage): Promise<Recording[]> {
  suite.stripe.settings.captureWindowS = 4;
  const booking = await paidBooking(suite);
  suite.stripe.settings.captureWindowS = null;
  const { bookingId } = booking;
  await eventually(
    () => suite.rows("select 1 from payment where booking_id = ? and status = 'released'", [bookingId]),
    (rows) => rows.length > 0,
    { what: 'the new authorisation' },
  );
  await carryOut(suite, booking);
  return [recording('reauthorised', booking)];
}

/** Proposed and declined, proposed and withdrawn, proposed and agreed. */
async function rescheduled({ suite }: PaidStage): Promise<Recording[]> {
  const booking = await paidBooking(suite);
  const { consumer, provider, bookingId } = booking;
  const { slot } = accepted(await consumer.get(`/bookings/${bookingId}`));
  const later = (hours: number) => ({ slot: { startsAt: new Date(Date.parse(slot.startsAt) + hours * 3_600_000).toISOString() } });
  accepted(await consumer.post(`/bookings/${bookingId}/reschedule`, later(2)));
  accepted(await provider.post(`/bookings/${bookingId}/reschedule/answer`, { accept: false }));
  accepted(await provider.post(`/bookings/${bookingId}/reschedule`, later(3)));
  accepted(await provider.post(`/bookings/${bookingId}/reschedule/answer`, { accept: false }));
  accepted(await provider.post(`/bookings/${bookingId}/reschedule`, later(4)));
  accepted(await consumer.post(`/bookings/${bookingId}/reschedule/answer`, { accept: true }));
  await carryOut(suite, booking);
  return [recording('rescheduled', booking)];
}

/** The run has ended; a dispute starts it again, and the ruling gives something back. */
async function disputed({ suite }: PaidStage): Promise<Recording[]> {
  const booking = await paidBooking(suite);
  const { consumer, bookingId } = booking;
  await carryOut(suite, booking);
  accepted(await consumer.post(`/bookings/${bookingId}/dispute`, { reason: 'recorded' }));
  await intervene(suite, bookingId, 'rule', { refund: { amount: 4_000, currency: 'USD' } });
  const { runId } = await runOf(suite, booking).describe();
  return [recording('disputed', booking, runId)];
}

async function runCancelled({ suite }: PaidStage): Promise<Recording[]> {
  const asked = suite.stripe.hold('confirm', 'answering');
  const booking = await acceptedOffer(suite);
  await asked.reached;
  await runOf(suite, booking).cancel();
  asked.letGo();
  await untilStatus(suite, 'booking', booking.bookingId, 'released');
  return [recording('run-cancelled', booking)];
}
