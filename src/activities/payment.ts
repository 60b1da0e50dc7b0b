import { cancellationSignal } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { toFailure } from '../contracts/failures.ts';
import type { Orm } from '../db/orm.ts';
import { keepCustomer, markAttached, payerOf } from '../db/queries/payment-method.ts';
import { DomainError } from '../domain/errors.ts';
import { money, type Currency } from '../domain/money.ts';
import { PaymentError, type Authorisation, type Claim, type Payments } from '../integrations/payments.ts';
import { beating } from './beating.ts';

interface OfAttempt {
  bookingId: string;
  /** Counts the booking's authorisations from 1. */
  attempt: number;
  /** Integer minor units. */
  amount: number;
  currency: Currency;
}

export type AuthorisePaymentInput = OfAttempt & { consumerId: string };
export type CapturePaymentInput = OfAttempt & { ref: string };
/** `ref` is null when the outcome of the authorisation is unknown. */
export type ReleasePaymentInput = OfAttempt & { consumerId: string; ref: string | null };
/** `step` names the refund among the booking's refunds. */
export type RefundPaymentInput = OfAttempt & { ref: string; step: string };

/** A step that takes less time sends no heartbeat. */
const heartbeatMs = 1_500;

export type PaymentActivities = ReturnType<typeof paymentActivities>;

/**
 * Each activity is one money step of a booking. An activity may run twice, at once or days apart. The provider's idempotency keys make each
 * step happen once; where the provider has forgotten a key, its own records do.
 */
export function paymentActivities({ orm, payments }: { orm: Orm; payments: Payments | undefined }) {
  return {
    async authorisePayment({ consumerId, ...input }: AuthorisePaymentInput): Promise<Authorisation> {
      return classed(async (provider, signal) => {
        const claim = claimOf(input);
        const em = orm.em.fork();
        const known = await payerOf(em, consumerId, claim);
        if (!known.method) return { is: 'declined', code: 'payment_method_missing', ref: null };
        const customer = known.customer ?? (await openCustomer(provider, consumerId, signal));
        let { method } = known;
        if (!known.attached) {
          const attached = await provider.attach({ customer, method }, signal);
          if (attached.is === 'declined') return attached;
          await markAttached(em, consumerId, method, attached.method);
          ({ method } = attached);
        }
        return provider.authorise({ ...claim, payer: { customer, method }, lookFirst: known.askedLongAgo }, signal);
      });
    },

    async capturePayment({ bookingId, attempt, ref, amount, currency }: CapturePaymentInput): Promise<void> {
      await classed((provider, signal) =>
        provider.capture({ key: `booking/${bookingId}/capture/${attempt}`, ref, amount: money(amount, currency) }, signal),
      );
    },

    async releasePayment({ consumerId, ref, ...input }: ReleasePaymentInput): Promise<void> {
      await classed(async (provider, signal) => {
        const claim = claimOf(input);
        // A payer without a method needs a customer, too: an authorisation with a method that was stored a moment ago may be on its way.
        const customer = (await payerOf(orm.em.fork(), consumerId, claim)).customer ?? (await openCustomer(provider, consumerId, signal));
        await provider.release({ key: `booking/${input.bookingId}/release/${input.attempt}`, claim, customer, ref }, signal);
      });
    },

    async refundPayment({ bookingId, step, ref, amount, currency }: RefundPaymentInput): Promise<void> {
      await classed((provider, signal) =>
        provider.refund({ key: `booking/${bookingId}/refund/${step}`, bookingId, ref, amount: money(amount, currency) }, signal),
      );
    },
  };

  /** The payer keeps the first customer that is stored. */
  async function openCustomer(provider: Payments, userId: string, signal: AbortSignal): Promise<string> {
    return keepCustomer(orm.em.fork(), userId, await provider.customer({ userId }, signal));
  }

  /** Runs a step and marks each failure as retryable or final. Sends heartbeats, so that a dead worker is detected soon. */
  async function classed<T>(step: (provider: Payments, signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      if (!payments) throw new PaymentError('payments_not_configured', 'this deployment has no payment provider');
      return await beating(heartbeatMs, () => step(payments, cancellationSignal()));
    } catch (error) {
      if (error instanceof DomainError) throw toFailure(error);
      if (!(error instanceof PaymentError)) throw error; // the database is away: Temporal retries
      const { code, message, retryAfterMs } = error;
      throw ApplicationFailure.create({
        type: code,
        message,
        nonRetryable: code !== 'payments_away',
        ...(retryAfterMs !== undefined && { nextRetryDelay: retryAfterMs }),
      });
    }
  }
}

const claimOf = ({ bookingId, attempt, amount, currency }: OfAttempt): Claim => ({
  key: `booking/${bookingId}/authorise/${attempt}`,
  bookingId,
  attempt,
  amount: money(amount, currency),
});
