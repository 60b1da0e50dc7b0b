// Payments: a port. The adapter for Stripe is in stripe/. Without an adapter the two sides settle the payment themselves.
import type { Money } from '../domain/money.ts';
import type { DeclineCode, PaymentFailure } from '../domain/booking/payment-codes.ts';

/** The payer, by the ids of the payment provider. */
export interface Payer {
  customer: string;
  method: string;
}

/** Names one authorisation. Calls with the same key always mean the same authorisation. */
export interface Claim {
  key: string;
  bookingId: string;
  attempt: number;
  amount: Money;
}

export type Declined = { is: 'declined'; code: DeclineCode; ref: string | null };
export type Authorisation = { is: 'authorised'; ref: string; lapsesAt: string } | Declined;

/**
 * Every step may run again with the same key: at the same time as the first, or long after the payment provider has forgotten
 * the key.
 * @throws PaymentError
 */
export interface Payments {
  /** Makes the payer's customer at the payment provider. A second call may return another id: keep the first. */
  customer(input: { userId: string }, signal?: AbortSignal): Promise<string>;
  /** Attaches the method to the customer, so that it can be used again. Use the returned method from then on. */
  attach(payer: Payer, signal?: AbortSignal): Promise<{ is: 'attached'; method: string } | Declined>;
  /**
   * Reserves the amount on the payer's method.
   * @param input.lookFirst true when the first call may be so long ago that the payment provider has forgotten the key
   */
  authorise(input: Claim & { payer: Payer; lookFirst: boolean }, signal?: AbortSignal): Promise<Authorisation>;
  /** Takes the amount and releases the rest of the reservation. */
  capture(input: { key: string; ref: string; amount: Money }, signal?: AbortSignal): Promise<void>;
  /** Cancels an authorisation whose outcome may be unknown. Afterwards nothing is authorised under its key, and nothing can be. */
  release(input: { key: string; claim: Claim; customer: string; ref: string | null }, signal?: AbortSignal): Promise<void>;
  /** Gives back a part of the captured amount. */
  refund(input: { key: string; bookingId: string; ref: string; amount: Money }, signal?: AbortSignal): Promise<void>;
}

/** A step failed. `payments_away` passes by itself; every other code stays. The message holds codes and ids only. */
export class PaymentError extends Error {
  override readonly name = 'PaymentError';
  readonly code: PaymentFailure | 'payments_away';
  readonly retryAfterMs: number | undefined;

  constructor(code: PaymentFailure | 'payments_away', message: string, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
