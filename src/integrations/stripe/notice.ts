// Reads Stripe's reports: https://docs.stripe.com/webhooks. Unknown fields are accepted, because the endpoint's API version is
// set in Stripe's dashboard and not here.
import Stripe from 'stripe';
import type { PaymentNotice } from '../../contracts/payment.ts';
import { DomainError } from '../../domain/errors.ts';
import { isUuid } from '../../domain/ids.ts';

/** Seconds a signature is valid. A recorded delivery cannot be sent again later. */
const toleranceS = 300;

const kinds: Readonly<Record<string, PaymentNotice['fact']['kind']>> = {
  'payment_intent.amount_capturable_updated': 'authorised',
  'payment_intent.canceled': 'cancelled',
  'payment_intent.payment_failed': 'failed',
  'payment_intent.succeeded': 'captured',
  'charge.refunded': 'refunded',
};

const eventId = /^evt_\w{1,60}$/;
const intentId = /^pi_\w{1,60}$/;

/** Verifies and reads one delivery. @returns undefined for an event that is not about our bookings @throws signature_invalid */
export function stripeNotices(webhookSecret: string): (body: Buffer, signature: string | undefined) => PaymentNotice | undefined {
  return (body, signature) => {
    let event: Stripe.Event;
    try {
      event = Stripe.webhooks.constructEvent(body, signature ?? '', webhookSecret, toleranceS);
    } catch {
      // Stripe's message would quote the body.
      throw new DomainError('signature_invalid');
    }
    return noticeIn(event);
  };
}

function noticeIn({ id, type, data }: Stripe.Event): PaymentNotice | undefined {
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  const subject = data?.object as { id?: unknown; payment_intent?: unknown; metadata?: Record<string, unknown> } | undefined;
  const ref = type.startsWith('charge.') ? idOf(subject?.payment_intent) : subject?.id;
  const { booking, attempt } = subject?.metadata ?? {};
  const count = Number(attempt);
  const ours = isUuid(booking) && matches(ref, intentId) && matches(id, eventId) && Number.isInteger(count) && count > 0;
  return kind && ours ? { bookingId: booking, fact: { eventId: id, kind, attempt: count, ref } } : undefined;
}

const matches = (value: unknown, pattern: RegExp): value is string => typeof value === 'string' && pattern.test(value);
const idOf = (value: unknown): unknown => (typeof value === 'object' && value !== null ? (value as { id?: unknown }).id : value);
