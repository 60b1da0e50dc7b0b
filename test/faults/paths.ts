// The paths whose steps the crash matrix interrupts.
import type { StripeServer } from '../support/stripe.ts';
import { price, type Deal, type DealOptions } from './deal.ts';
import type { Ending } from './exactly-once.ts';
import { asked, carriedOut, confirmed, done, endingOf, givenBack, paid, paidAnew, plays, taken } from './plays.ts';

/** A path through a booking's life: the preparation, the command (`act`) whose steps are tested, and the allowed endings. */
export interface Path {
  name: string;
  options?: DealOptions;
  prepare?: (deal: Deal) => Promise<unknown>;
  act: (deal: Deal) => Promise<unknown>;
  after?: (deal: Deal) => Promise<unknown>;
  /** Steps from `act` on. The worker dies before and after each of them. */
  steps: string[];
  endings: Ending[];
}

const begun = async (deal: Deal) => {
  await confirmed(deal);
  await deal.command('consumer', 'check-in');
};
export const variant = { side: 'consumer', notice: 'short', finalPrice: price, refund: 4_000 } as const;
const toItsEnd = (deal: Deal) => carriedOut(deal, variant);

export const saga: Path[] = [
  {
    name: 'hold, authorise, confirm',
    prepare: (deal) => deal.propose(),
    act: (deal) => deal.accept(),
    after: async (deal) => {
      await deal.until('confirmed');
      await toItsEnd(deal);
    },
    steps: [
      'append:booking.held',
      'append:payment.requested',
      'authorisePayment',
      'append:payment.authorised',
      'planReminders',
      'append:booking.confirmed',
    ],
    endings: plays.completed.endings(variant),
  },
  {
    // The next command arrives while the run does not yet know its own last events.
    name: 'another card',
    options: plays.declinedOnce.options(),
    prepare: (deal) => deal.propose(),
    act: (deal) => deal.accept(),
    after: (deal) => paidAnew(deal, variant),
    steps: ['append:payment.declined'],
    endings: plays.declinedOnce.endings(variant),
  },
];

export const compensation = (stripe: StripeServer): Path[] => [
  {
    name: 'an authorisation whose outcome nobody knows',
    prepare: async (deal) => {
      await deal.propose();
      // The amount is reserved, the answer is lost, and every later attempt is refused.
      const { userId } = deal;
      const reached = () => stripe.faultOf(userId, 'confirm', { at: 'arriving', do: 'busy', status: 400, code: 'parameter_invalid' });
      stripe.faultOf(
        userId,
        'confirm',
        { at: 'answering', do: 'wait', until: Promise.resolve(), reached },
        { at: 'answering', do: 'drop' },
      );
    },
    act: (deal) => deal.accept(),
    steps: ['releasePayment', 'append:payment.released', 'append:booking.released'],
    endings: [endingOf('cancelled', [[...asked, 'payment.released', 'booking.released']])],
  },
  {
    name: 'a hold that runs out',
    options: { card: 'pm_card_chargeCustomerFail' },
    prepare: (deal) => deal.propose(),
    act: (deal) => deal.acceptEarlier({ policy: { holdMs: 4_000, holdExtensionMs: 2_000 } }),
    steps: ['append:booking.released'],
    endings: plays.neverPaid.endings(),
  },
  {
    name: 'a provider who drops out',
    prepare: confirmed,
    act: (deal) => deal.command('provider', 'cancel', { reason: 'ill' }),
    steps: ['append:booking.cancelled', 'releasePayment', 'append:payment.released'],
    // The search begins again and finds no other provider.
    endings: [{ ...endingOf('unfilled', [[...paid, 'booking.cancelled', ...givenBack]]), reopened: 1 }],
  },
];

export const settlement: Path[] = [
  {
    name: 'completion',
    prepare: begun,
    act: (deal) => deal.finish(),
    steps: ['append:booking.completed', 'capturePayment', 'append:payment.captured', 'append:payment.closed'],
    endings: plays.completed.endings(variant),
  },
  {
    name: 'a cancellation with a fee',
    prepare: confirmed,
    act: (deal) => deal.command('consumer', 'cancel'),
    steps: ['capturePayment'],
    endings: [endingOf('cancelled', [[...paid, 'booking.cancelled', ...taken], { captured: price }])],
  },
  {
    name: 'another slot',
    prepare: async (deal) => {
      await confirmed(deal);
      await deal.reschedule('consumer', 30);
    },
    act: (deal) => deal.agreeToReschedule('provider'),
    after: toItsEnd,
    steps: ['planReminders', 'append:booking.rescheduled'],
    endings: [endingOf('completed', [[...paid, 'reschedule.proposed', 'booking.rescheduled', ...done], { captured: price }])],
  },
];

export const ruling: Path[] = [
  {
    name: 'a ruling that gives money back',
    prepare: async (deal) => {
      await begun(deal);
      await deal.finish();
      await deal.happened('payment.closed');
      await deal.command('consumer', 'dispute', { reason: 'it still leaks' });
    },
    act: (deal) => deal.rule(variant.refund),
    steps: ['append:booking.settled', 'refundPayment', 'append:payment.refunded'],
    endings: plays.disputed.endings(variant),
  },
];

const minuteMs = 60_000;
const unpaid = ['booking.held', 'booking.confirmed'];
const free = { authorised: 0 };

/** Messages that concern several streams of a run. Each of them writes all its events in one append. */
export const several: Path[] = [
  {
    name: 'an acceptance by Update',
    prepare: async (deal) => {
      await deal.costNothing();
      await deal.propose();
    },
    act: (deal) => deal.accept(),
    after: async (deal) => {
      await deal.until('confirmed');
      await toItsEnd(deal);
    },
    steps: ['append:offer.accepted'],
    endings: [endingOf('completed', [[...unpaid, 'booking.checked_in', 'booking.completed'], free])],
  },
  {
    name: 'an acceptance by Signal',
    options: { mode: 'instant' },
    prepare: async (deal) => {
      await deal.costNothing();
      await deal.offerId();
    },
    act: (deal) => deal.acceptBySignal(),
    after: async (deal) => {
      await deal.until('confirmed');
      await toItsEnd(deal);
    },
    steps: ['append:offer.accepted'],
    endings: [endingOf('completed', [[...unpaid, 'booking.checked_in', 'booking.completed'], free])],
  },
  {
    name: 'completion',
    prepare: begun,
    act: (deal) => deal.finish(),
    steps: ['append:request.completed'],
    endings: plays.completed.endings(variant),
  },
  {
    name: 'completion by itself',
    prepare: (deal) => deal.propose(),
    act: (deal) => deal.acceptEarlier({ startedMs: 90 * minuteMs, policy: { payments: 'none', autoCompleteMs: 0 } }),
    steps: ['append:review.opened'],
    // Nobody has said it, so both sides are told.
    endings: [endingOf('completed', [[...unpaid, 'booking.checked_in', 'booking.completed'], { ...free, told: { booking_completed: 2 } }])],
  },
  {
    name: 'a provider who drops out',
    prepare: confirmed,
    act: (deal) => deal.command('provider', 'cancel', { reason: 'ill' }),
    steps: ['append:request.reopened'],
    endings: [{ ...endingOf('unfilled', [[...paid, 'booking.cancelled', ...givenBack]]), reopened: 1 }],
  },
  {
    name: 'a cancellation by the consumer',
    prepare: confirmed,
    act: (deal) => deal.command('consumer', 'cancel'),
    steps: ['append:request.cancelled'],
    endings: plays.cancelled.endings(variant),
  },
  {
    name: 'a hold that is never paid',
    options: { card: 'pm_card_chargeCustomerFail' },
    prepare: (deal) => deal.propose(),
    act: (deal) => deal.acceptEarlier({ policy: { holdMs: 4_000, holdExtensionMs: 2_000 } }),
    steps: ['append:booking.released'],
    endings: plays.neverPaid.endings(),
  },
  {
    name: 'a no-show',
    prepare: async (deal) => {
      await deal.propose();
      await deal.acceptEarlier({ startedMs: 90 * minuteMs, policy: { payments: 'none' } });
      await deal.until('confirmed');
    },
    act: (deal) => deal.command('provider', 'no-show'),
    steps: ['append:booking.no_show'],
    endings: [endingOf('cancelled', [[...unpaid, 'booking.no_show'], free])],
  },
];
