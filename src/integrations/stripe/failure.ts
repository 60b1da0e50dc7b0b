// Classifies Stripe's errors. Their messages may quote keys and cards, so only codes and request ids leave this file.
import Stripe from 'stripe';
import type { DeclineCode } from '../../domain/booking/payment-codes.ts';
import { PaymentError } from '../payments.ts';

const { StripeError, StripeCardError, StripeInvalidRequestError, StripeIdempotencyError } = Stripe.errors;
type Refusal = InstanceType<typeof StripeError>;

/** Decline codes that the payer may see. Every other reason, a stolen card included, becomes `card_declined`. */
const tellable: ReadonlySet<string> = new Set<DeclineCode>(['insufficient_funds', 'expired_card', 'authentication_required']);

/** Why the bank or Stripe declined the card; undefined when the error has another cause. */
export const declineOf = (error: unknown): DeclineCode | undefined => (error instanceof StripeCardError ? declineCodeOf(error) : undefined);

export function declineCodeOf({
  code,
  decline_code: reason,
}: {
  code?: string | undefined;
  decline_code?: string | undefined;
}): DeclineCode {
  return [code, reason].find((name): name is DeclineCode => name !== undefined && tellable.has(name)) ?? 'card_declined';
}

const unexpectedStates: ReadonlySet<string> = new Set([
  'payment_intent_unexpected_state',
  'charge_already_captured',
  'charge_expired_for_capture',
  'capture_charge_authorization_expired',
]);

/** The object is not in the state that the step needs. Read its present state before deciding. */
export const isUnexpectedState = (error: unknown): boolean => error instanceof StripeError && unexpectedStates.has(error.code ?? '');

/** The key was used with other parameters: another caller took this step differently. */
export const isTakenOtherwise = (error: unknown): boolean => error instanceof StripeIdempotencyError;

/** The payer cannot pay with this token: it is unknown, used up, removed, or belongs to another customer. */
export const isAboutMethod = (error: unknown): boolean =>
  error instanceof StripeInvalidRequestError && (error.param === 'payment_method' || Boolean(error.code?.startsWith('payment_method_')));

/** A request to attach names only a method and a customer. An error that is not about the customer is about the method. */
export const isAboutAttached = (error: unknown): boolean => error instanceof StripeInvalidRequestError && error.param !== 'customer';

export const isAboutAmount = (error: unknown): boolean =>
  error instanceof StripeInvalidRequestError &&
  (error.param === 'amount' || ['charge_already_refunded', 'amount_too_large'].includes(error.code ?? ''));

/**
 * Whether the error passes by itself: Stripe not reached, too many requests, the key or the object in use at this moment, or a
 * failure of the server.
 */
const isPassing = (error: Refusal): boolean =>
  error.statusCode === undefined || error.statusCode === 409 || error.statusCode === 429 || error.statusCode >= 500;

/** Turns every error of Stripe into a PaymentError; other errors are returned unchanged. */
export function classified(error: unknown): unknown {
  if (!(error instanceof StripeError)) return error;
  const text = `${error.type} ${error.code ?? ''} ${error.requestId ?? ''}`.trim();
  if (isPassing(error)) return new PaymentError('payments_away', text, retryAfterMs(error));
  if (error.statusCode === 401 || error.statusCode === 403) return new PaymentError('payments_not_configured', text);
  return new PaymentError('payment_refused', text);
}

function retryAfterMs({ headers }: Refusal): number | undefined {
  const seconds = Number(headers?.['retry-after']);
  return seconds > 0 ? Math.min(seconds, 600) * 1_000 : undefined;
}
