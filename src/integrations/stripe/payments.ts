// Payments by Stripe: one PaymentIntent per authorisation, confirmed off-session, captured by hand.
// https://docs.stripe.com/payments/paymentintents/lifecycle lists the states and the steps that each allows. Stripe confirms a
// PaymentIntent at most once, whatever the keys are. So when an answer is old or a step is refused, the present state of the
// intent decides.
import type Stripe from 'stripe';
import { PaymentError, type Authorisation, type Claim, type Declined, type Payments } from '../payments.ts';
import { keyed, stripeClient, type StripeOptions } from './client.ts';
import {
  classified,
  declineCodeOf,
  declineOf,
  isAboutAmount,
  isAboutAttached,
  isAboutMethod,
  isTakenOtherwise,
  isUnexpectedState,
} from './failure.ts';
import { iso } from '../../domain/time.ts';

/** Milliseconds until an authorisation lapses when Stripe does not say: the limit of the card networks. */
const lapsesAfterMs = 7 * 24 * 60 * 60_000;
const withCharge = { expand: ['latest_charge'] };

export function stripePayments(options: StripeOptions): Payments {
  const stripe = stripeClient(options);
  const intents = stripe.paymentIntents;
  const look = (id: string) => intents.retrieve(id, withCharge);

  return {
    customer: classed(async ({ userId }, signal) => {
      signal?.throwIfAborted();
      return (await keyed(`customer/${userId}`, (key) => stripe.customers.create({ metadata: { user: userId } }, key))).value.id;
    }),

    attach: classed(async ({ customer, method }, signal) => {
      signal?.throwIfAborted();
      try {
        // Sent without an idempotency key: attaching twice has no further effect, and a stored refusal would outlive its cause.
        return { is: 'attached', method: (await stripe.paymentMethods.attach(method, { customer })).id };
      } catch (error) {
        const code = declineOf(error) ?? (isAboutAttached(error) ? 'payment_method_unusable' : undefined);
        if (code) return { is: 'declined', code, ref: null };
        throw error;
      }
    }),

    authorise: classed(async ({ payer, lookFirst, ...claim }, signal) => {
      signal?.throwIfAborted();
      const known = lookFirst ? await newest(claim, payer.customer) : undefined;
      if (known && !isFresh(known)) return outcomeOf(await look(known.id));
      const { id } = known ?? (await open(claim, payer.customer));
      signal?.throwIfAborted();
      return confirm(claim, id, payer.method);
    }),

    capture: classed(async ({ key, ref, amount }, signal) => {
      signal?.throwIfAborted();
      try {
        await keyed(key, (options) => intents.capture(ref, { amount_to_capture: amount.amount }, options));
      } catch (error) {
        if (!isUnexpectedState(error)) throw error;
        const intent = await look(ref);
        if (intent.status === 'succeeded' && intent.amount_received === amount.amount) return;
        throw notPossible(intent);
      }
    }),

    release: classed(async ({ key, claim, customer, ref }, signal) => {
      signal?.throwIfAborted();
      if (ref !== null) return cancel(ref, key, 'requested_by_customer');
      // Opening takes the key first. A late authorisation then gets this very intent and finds it cancelled.
      const { id } = await open(claim, customer);
      await cancel(id, key, 'requested_by_customer');
      // When Stripe had forgotten the key, `open` has made a new intent. The earlier one is found among the customer's intents.
      for await (const other of intentsOf(claim, customer)) {
        if (other.id !== id && other.status !== 'canceled') await cancel(other.id, `${key}/${other.id}`, 'requested_by_customer');
      }
    }),

    refund: classed(async ({ key, bookingId, ref, amount }, signal) => {
      signal?.throwIfAborted();
      const metadata = { booking: bookingId, key };
      try {
        // Each try first looks for the refund: if the key was forgotten, Stripe would carry a refund out twice.
        const { value } = await keyed(
          key,
          async (options) =>
            (await refundNamed(ref, key)) ??
            stripe.refunds.create({ payment_intent: ref, amount: amount.amount, reason: 'requested_by_customer', metadata }, options),
        );
        if (value.status === 'failed' || value.status === 'canceled') throw new PaymentError('refund_failed', value.id);
      } catch (error) {
        if (isAboutAmount(error)) throw new PaymentError('payment_overrefunded', ref);
        throw error;
      }
    }),
  };

  /**
   * Opens the authorisation's intent, or returns the one that its key has opened. Opening charges nobody. One key always has
   * the same parameters.
   */
  async function open({ key, bookingId, attempt, amount }: Claim, customer: string): Promise<Stripe.PaymentIntent> {
    const params: Stripe.PaymentIntentCreateParams = {
      amount: amount.amount,
      currency: amount.currency.toLowerCase(),
      customer,
      capture_method: 'manual',
      allowed_payment_method_types: ['card'],
      metadata: { booking: bookingId, attempt: String(attempt), key },
    };
    return (await keyed(`${key}/create`, (options) => intents.create(params, options))).value;
  }

  async function confirm({ key }: Claim, id: string, method: string): Promise<Authorisation> {
    try {
      const { value, replayed } = await keyed(`${key}/confirm`, (options) =>
        intents.confirm(id, { payment_method: method, off_session: true, ...withCharge }, options),
      );
      return outcomeOf(replayed ? await look(id) : value);
    } catch (error) {
      const code = declineOf(error) ?? (isAboutMethod(error) ? 'payment_method_unusable' : undefined);
      if (code) return declined(id, code, key);
      if (isUnexpectedState(error) || isTakenOtherwise(error)) return outcomeOf(await look(id));
      throw error;
    }
  }

  /** Cancels a declined intent. It could be confirmed again, so a late request must find it closed. */
  async function declined(id: string, code: Declined['code'], key: string): Promise<Declined> {
    await cancel(id, `${key}/close`, 'abandoned');
    return { is: 'declined', code, ref: id };
  }

  async function cancel(id: string, key: string, reason: 'requested_by_customer' | 'abandoned'): Promise<void> {
    try {
      await keyed(key, (options) => intents.cancel(id, { cancellation_reason: reason }, options));
    } catch (error) {
      if (!isUnexpectedState(error)) throw error;
      const intent = await look(id);
      if (intent.status !== 'canceled') throw notPossible(intent);
    }
  }

  async function* intentsOf({ key }: Claim, customer: string): AsyncGenerator<Stripe.PaymentIntent> {
    for await (const intent of intents.list({ customer, limit: 100 })) if (intent.metadata.key === key) yield intent;
  }

  /** The newest intent of a claim (Stripe lists the newest first). A reserved or captured one comes before all others. */
  async function newest(claim: Claim, customer: string): Promise<Stripe.PaymentIntent | undefined> {
    let found: Stripe.PaymentIntent | undefined;
    for await (const intent of intentsOf(claim, customer)) {
      if (intent.status === 'requires_capture' || intent.status === 'succeeded') return intent;
      found ??= intent;
    }
    return found;
  }

  async function refundNamed(ref: string, key: string): Promise<Stripe.Response<Stripe.Refund> | undefined> {
    for await (const refund of stripe.refunds.list({ payment_intent: ref, limit: 100 })) {
      if (refund.metadata?.key === key) return refund as Stripe.Response<Stripe.Refund>;
    }
    return undefined;
  }
}

const isFresh = ({ status, last_payment_error: error }: Stripe.PaymentIntent): boolean => status === 'requires_payment_method' && !error;

/** The outcome of an authorisation, by the present state of its intent. */
function outcomeOf(intent: Stripe.PaymentIntent): Authorisation {
  const { id, status, last_payment_error: refused, cancellation_reason: reason } = intent;
  if (status === 'requires_capture') return { is: 'authorised', ref: id, lapsesAt: lapseOf(intent) };
  if (status === 'requires_payment_method' && refused) return { is: 'declined', code: declineCodeOf(refused), ref: id };
  if (status === 'canceled' && reason === 'abandoned') return { is: 'declined', code: 'card_declined', ref: id };
  throw notPossible(intent);
}

/** The error for a step that the state of the intent does not allow. */
function notPossible({ id, status, cancellation_reason: reason }: Stripe.PaymentIntent): PaymentError {
  if (status === 'succeeded') return new PaymentError('payment_captured', id);
  if (status !== 'canceled') return new PaymentError('payments_away', `${id} is ${status}`);
  return new PaymentError(reason === 'automatic' || reason === 'expired' ? 'payment_lapsed' : 'payment_released', id);
}

function lapseOf({ created, latest_charge: charge }: Stripe.PaymentIntent): string {
  const before = typeof charge === 'object' ? charge?.payment_method_details?.card?.capture_before : undefined;
  return iso(before ? before * 1_000 : created * 1_000 + lapsesAfterMs);
}

function classed<I, O>(step: (input: I, signal?: AbortSignal) => Promise<O>): (input: I, signal?: AbortSignal) => Promise<O> {
  return async (input, signal) => {
    try {
      return await step(input, signal);
    } catch (error) {
      throw classified(error);
    }
  };
}
