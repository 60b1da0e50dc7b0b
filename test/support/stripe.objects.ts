// Stripe's objects as far as card payments captured by hand need them. Statuses, refusals and amounts are those of
// https://docs.stripe.com/api/payment_intents. Every step happens at once; stripe.ts makes requests late or interrupts them.
import { randomBytes } from 'node:crypto';
import { moneyLedger } from './stripe.ledger.ts';

export type Params = Record<string, any>;
export type Thing = Record<string, any> & { id: string; object: string };
export interface CardRefusal {
  code: string;
  decline_code?: string;
}

/** An answer other than 200. */
export class StripeRefusal extends Error {
  readonly status: number;
  readonly error: Record<string, unknown>;
  /** Refused before the step was tried, so the answer is not stored under its key. */
  readonly early: boolean;

  constructor(status: number, error: Record<string, unknown>, early = false) {
    super(String(error.message ?? error.code));
    this.status = status;
    this.error = { type: 'invalid_request_error', message: `as told: ${String(error.code)}`, ...error };
    this.early = early;
  }
}

/** Stripe's test cards by their token, with the refusal of the bank when the card is attached and when it is charged. */
const testCards: Record<string, { attach?: CardRefusal; charge?: CardRefusal }> = {
  pm_card_visa: {},
  pm_card_mastercard: {},
  pm_card_jp: {},
  pm_card_chargeDeclined: { attach: { code: 'card_declined', decline_code: 'generic_decline' } },
  pm_card_chargeDeclinedInsufficientFunds: { attach: { code: 'card_declined', decline_code: 'insufficient_funds' } },
  pm_card_chargeDeclinedExpiredCard: { attach: { code: 'expired_card' } },
  pm_card_chargeCustomerFail: { charge: { code: 'card_declined', decline_code: 'generic_decline' } },
  pm_card_authenticationRequired: { charge: { code: 'authentication_required', decline_code: 'authentication_required' } },
};
const smallest: Record<string, number> = { usd: 50, eur: 50, jpy: 50 };
const now = () => Math.floor(Date.now() / 1_000);
const id = (prefix: string) => `${prefix}_${randomBytes(12).toString('hex')}`;

export type StripeObjects = ReturnType<typeof stripeObjects>;

export function stripeObjects(emit: (type: string, object: Thing) => void) {
  const things = new Map<string, Thing>();
  const ledger = moneyLedger((ref) => things.get(ref)?.amount_capturable ?? 0);
  const settings = {
    /** Seconds until an authorisation lapses; null leaves the time out of the answer. */
    captureWindowS: (7 * 86_400) as number | null,
    /** The bank's answer to a charge, instead of the test card's. */
    bank: (_intent: Thing): CardRefusal | null | undefined => undefined,
  };

  const put = (thing: Record<string, any> & { object: string }, prefix: string): Thing => {
    const made: Thing = { id: id(prefix), created: now(), livemode: false, ...thing };
    things.set(made.id, made);
    return made;
  };
  function get(name: string, object: string, param: string): Thing {
    const thing = things.get(name);
    if (thing?.object === object) return thing;
    throw new StripeRefusal(404, { code: 'resource_missing', param, message: `No such ${object}: '${name}'` });
  }
  function write(kind: 'authorised' | 'captured' | 'released' | 'refunded', { id: ref, metadata, currency }: Thing, amount: number): void {
    if (amount > 0) ledger.write({ kind, ref, amount, currency, booking: metadata.booking ?? '', attempt: metadata.attempt ?? '' });
  }
  function mustBe(intent: Thing, statuses: string[], verb: string): void {
    if (statuses.includes(intent.status)) return;
    const message = `This PaymentIntent could not be ${verb} because it has a status of ${intent.status}.`;
    throw new StripeRefusal(400, { code: 'payment_intent_unexpected_state', message, payment_intent: intent });
  }
  function amountOf(value: unknown, param: string, { most = 99_999_999, least = 1 } = {}): number {
    if (!/^\d+$/.test(String(value))) throw new StripeRefusal(400, { code: 'parameter_invalid_integer', param }, true);
    const amount = Number(value);
    if (amount > most) throw new StripeRefusal(400, { code: 'amount_too_large', param });
    if (amount < least) throw new StripeRefusal(400, { code: 'amount_too_small', param });
    return amount;
  }
  function listed(object: string, belongs: (thing: Thing) => boolean, { limit = '10', starting_after: after }: Params) {
    const all = [...things.values()].filter((thing) => thing.object === object && belongs(thing)).toReversed();
    const from = after ? all.findIndex((thing) => thing.id === after) + 1 : 0;
    const data = all.slice(from, from + Number(limit));
    return { object: 'list', data, has_more: from + data.length < all.length, url: `/v1/${object}s` };
  }
  /** The card of a token. As at Stripe, a test token makes a new card each time. */
  function cardFrom(token: string): Thing {
    const known = things.get(token);
    if (known?.object === 'payment_method') return known;
    if (!testCards[token]) throw new StripeRefusal(404, { code: 'resource_missing', param: 'payment_method' });
    return put({ object: 'payment_method', type: 'card', customer: null, card: { brand: 'visa', last4: '4242' }, made_from: token }, 'pm');
  }
  function cardError(refusal: CardRefusal, more: object = {}): StripeRefusal {
    return new StripeRefusal(402, { type: 'card_error', message: 'Your card was declined.', ...refusal, ...more });
  }

  const steps = {
    customer: (_id: string, { metadata = {} }: Params) => put({ object: 'customer', metadata }, 'cus'),

    attach(token: string, { customer }: Params) {
      const owner = get(customer, 'customer', 'customer');
      const card = cardFrom(token);
      if (card.customer && card.customer !== owner.id) {
        throw new StripeRefusal(400, { message: 'The payment method you provided has already been attached to a customer.' });
      }
      const refused = testCards[card.made_from]?.attach;
      if (refused) throw cardError(refused);
      return Object.assign(card, { customer: owner.id });
    },

    create(_id: string, { amount, currency, customer, metadata = {}, capture_method: capture }: Params) {
      get(customer, 'customer', 'customer');
      if (!smallest[currency]) throw new StripeRefusal(400, { code: 'parameter_invalid', param: 'currency' }, true);
      return put(
        {
          object: 'payment_intent',
          amount: amountOf(amount, 'amount', { least: smallest[currency]! }),
          amount_capturable: 0,
          amount_received: 0,
          canceled_at: null,
          cancellation_reason: null,
          capture_method: capture ?? 'automatic',
          currency,
          customer,
          last_payment_error: null,
          latest_charge: null,
          metadata,
          next_action: null,
          payment_method: null,
          payment_method_types: ['card'],
          status: 'requires_payment_method',
        },
        'pi',
      );
    },

    confirm(ref: string, { payment_method: token, off_session: offSession }: Params) {
      const intent = get(ref, 'payment_intent', 'intent');
      mustBe(intent, ['requires_payment_method', 'requires_confirmation'], 'confirmed');
      const card = cardFrom(token);
      const foreign = card.customer ? card.customer !== intent.customer : card.spent;
      if (foreign) throw new StripeRefusal(400, { param: 'payment_method', message: 'The PaymentMethod belongs to somebody else.' });
      if (!card.customer) card.spent = true;
      const { attach, charge = attach } = testCards[card.made_from]!;
      const told = settings.bank(intent);
      const refused = told === undefined ? charge : told;
      if (refused && (refused.code !== 'authentication_required' || offSession === 'true')) {
        const last = { type: 'card_error', message: 'Your card was declined.', ...refused, payment_method: card };
        Object.assign(intent, { status: 'requires_payment_method', last_payment_error: last });
        emit('payment_intent.payment_failed', intent);
        throw cardError(refused, { payment_intent: structuredClone(intent), payment_method: card });
      }
      const made = put(
        {
          object: 'charge',
          amount: intent.amount,
          amount_captured: 0,
          amount_refunded: 0,
          captured: false,
          currency: intent.currency,
          customer: intent.customer,
          metadata: { ...intent.metadata },
          payment_intent: intent.id,
          payment_method: card.id,
          payment_method_details: {
            type: 'card',
            card: { brand: 'visa', ...(settings.captureWindowS !== null && { capture_before: now() + settings.captureWindowS }) },
          },
          refunded: false,
          status: 'succeeded',
        },
        'ch',
      );
      Object.assign(intent, {
        status: 'requires_capture',
        amount_capturable: intent.amount,
        latest_charge: made.id,
        payment_method: card.id,
        last_payment_error: null,
      });
      write('authorised', intent, intent.amount);
      emit('payment_intent.amount_capturable_updated', intent);
      return intent;
    },

    capture(ref: string, { amount_to_capture: wanted }: Params) {
      const intent = get(ref, 'payment_intent', 'intent');
      mustBe(intent, ['requires_capture'], 'captured');
      const amount = wanted === undefined ? intent.amount : amountOf(wanted, 'amount_to_capture', { most: intent.amount_capturable });
      const charge = things.get(intent.latest_charge)!;
      Object.assign(charge, { captured: true, amount_captured: amount });
      Object.assign(intent, { status: 'succeeded', amount_capturable: 0, amount_received: amount });
      write('captured', intent, amount);
      write('released', intent, intent.amount - amount);
      emit('charge.captured', charge);
      emit('payment_intent.succeeded', intent);
      return intent;
    },

    cancel(ref: string, { cancellation_reason: reason }: Params) {
      const intent = get(ref, 'payment_intent', 'intent');
      mustBe(intent, ['requires_payment_method', 'requires_confirmation', 'requires_action', 'requires_capture'], 'canceled');
      return cancelled(intent, reason ?? null);
    },

    refund(_id: string, { payment_intent: ref, amount: wanted, metadata = {}, reason = null }: Params) {
      const intent = get(ref, 'payment_intent', 'payment_intent');
      const charge = things.get(intent.latest_charge);
      if (!charge?.captured) throw new StripeRefusal(400, { code: 'charge_not_refundable', param: 'payment_intent' });
      const left = charge.amount_captured - charge.amount_refunded;
      if (left === 0) throw new StripeRefusal(400, { code: 'charge_already_refunded' });
      const amount = amountOf(wanted ?? left, 'amount');
      if (amount > left)
        throw new StripeRefusal(400, { param: 'amount', message: 'Refund amount is greater than unrefunded amount on charge' });
      Object.assign(charge, { amount_refunded: charge.amount_refunded + amount, refunded: amount === left });
      const { id: chargeId, currency } = charge;
      const made = put(
        { object: 'refund', amount, charge: chargeId, currency, metadata, payment_intent: ref, reason, status: 'succeeded' },
        're',
      );
      write('refunded', intent, amount);
      emit('refund.created', made);
      emit('charge.refunded', charge);
      return made;
    },

    look: (ref: string) => get(ref, 'payment_intent', 'intent'),
    list: (_id: string, query: Params) => listed('payment_intent', (intent) => intent.customer === query.customer, query),
    listRefunds: (_id: string, query: Params) => listed('refund', (refund) => refund.payment_intent === query.payment_intent, query),
  } satisfies Record<string, (id: string, params: Params) => object>;

  function cancelled(intent: Thing, reason: string | null): Thing {
    const held = intent.amount_capturable as number;
    Object.assign(intent, {
      status: 'canceled',
      amount_capturable: 0,
      cancellation_reason: reason,
      canceled_at: now(),
      last_payment_error: null,
    });
    write('released', intent, held);
    emit('payment_intent.canceled', intent);
    return intent;
  }

  /** The object with its charge instead of the charge's id, when the request asks for it. */
  function expanded(thing: object, expand: string[]): object {
    const charge = expand.includes('latest_charge') ? things.get((thing as Thing).latest_charge) : undefined;
    return charge ? { ...thing, latest_charge: charge } : thing;
  }

  /** The card network releases an amount that was not captured in time. */
  function lapse(ref: string): void {
    const intent = get(ref, 'payment_intent', 'intent');
    mustBe(intent, ['requires_capture'], 'lapsed');
    cancelled(intent, 'automatic');
    emit('charge.expired', things.get(intent.latest_charge)!);
  }

  /** The payer that a request is about: the owner of the customer in the request, or of the object that the request names. */
  function payerOf(subject: string, { metadata, customer, payment_intent: intent }: Params): string | undefined {
    const thing = things.get(subject || intent);
    return metadata?.user ?? things.get(customer ?? thing?.customer)?.metadata.user;
  }

  return {
    steps,
    payerOf,
    settings,
    ledger,
    expanded,
    lapse,
    intents: () => [...things.values()].filter(({ object }) => object === 'payment_intent'),
  };
}
