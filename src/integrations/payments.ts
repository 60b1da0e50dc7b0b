// Payments: a port. The adapter for Stripe is in stripe/; without one the parties settle among themselves.
import type { Money } from '../domain/money.ts';
import type { DeclineCode, PaymentFailure } from '../domain/booking/payment-codes.ts';

/** Whose money, in the provider's words. */
export interface Payer {
  customer: string;
  method: string;
}

/** What names one authorisation. The same key is the same authorisation, however often it is asked for. */
export interface Claim {
  key: string;
  bookingId: string;
  attempt: number;
  amount: Money;
}

export type Declined = { is: 'declined'; code: DeclineCode; ref: string | null };
export type Authorisation = { is: 'authorised'; ref: string; lapsesAt: string } | Declined;

/**
 * Every step may run again with the same key, also at the same time and also long after the provider has forgotten the key.
 * @throws PaymentError
 */
export interface Payments {
  /** The payer's account at the provider. Asked again, it may be another one: keep the first. */
  customer(input: { userId: string }, signal?: AbortSignal): Promise<string>;
  /** Makes the method usable again and again. What comes back is the method to use from then on. */
  attach(payer: Payer, signal?: AbortSignal): Promise<{ is: 'attached'; method: string } | Declined>;
  /**
   * Reserves the amount on the payer's method.
   * @param input.lookFirst it may have been asked for so long ago that the provider has forgotten the key
   */
  authorise(input: Claim & { payer: Payer; lookFirst: boolean }, signal?: AbortSignal): Promise<Authorisation>;
  /** Takes the amount; whatever else was reserved is released. */
  capture(input: { key: string; ref: string; amount: Money }, signal?: AbortSignal): Promise<void>;
  /** Undoes an authorisation whose outcome may be unknown: afterwards nothing is or can become authorised under its key. */
  release(input: { key: string; claim: Claim; customer: string; ref: string | null }, signal?: AbortSignal): Promise<void>;
  /** Gives back a part of what was captured. */
  refund(input: { key: string; bookingId: string; ref: string; amount: Money }, signal?: AbortSignal): Promise<void>;
}

/** `payments_away` passes by itself; everything else stays. The message holds codes and ids only. */
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
