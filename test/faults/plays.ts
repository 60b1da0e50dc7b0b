// The ways that a booking can go. Each has the ending that must result whatever process dies on the way.
import { price, type Deal, type DealOptions } from './deal.ts';
import type { BookingEnding, Ending } from './exactly-once.ts';

export type Side = 'consumer' | 'provider';

/** The random choices of a play. */
export interface Variant {
  side: Side;
  /** Time between the cancellation and the slot. The fee of a cancellation depends on it. */
  notice: keyof typeof notices;
  /** Minor units. */
  finalPrice: number;
  refund: number;
}

export interface Play {
  options?: (variant: Variant) => DealOptions;
  /** Number of commands that consumer and provider send, from the proposal on. */
  commands: number;
  /** Steps of the worker in this play. */
  steps: string[];
  /** Requests to the payment provider in this play. */
  requests: ('create' | 'confirm' | 'capture' | 'cancel' | 'refund')[];
  /** Plays from the proposal to the last command. */
  run: (deal: Deal, variant: Variant) => Promise<void>;
  /** The allowed endings. More than one where the timing decides. */
  endings: (variant: Variant) => Ending[];
}

export const notices = {
  short: { inMs: 60_000, feePercent: 100 },
  hours: { inMs: 8 * 3_600_000, feePercent: 50 },
  days: { inMs: 30 * 3_600_000, feePercent: 0 },
};

export const asked = ['booking.held', 'payment.requested'];
export const paid = [...asked, 'payment.authorised', 'booking.confirmed'];
export const taken = ['payment.captured', 'payment.closed'];
export const givenBack = ['payment.released', 'payment.closed'];
export const done = ['booking.checked_in', 'booking.completed', ...taken];
/** An ending: each booking with its timeline. Amounts that are not given are 0, and money was reserved once. */
export const endingOf = (request: string, ...bookings: [timeline: string[], money?: Partial<BookingEnding>][]): Ending => ({
  request,
  bookings: bookings.map(([timeline, money]) => ({ timeline, captured: 0, refunded: 0, authorised: 1, ...money })),
});
const refunded = (refund: number) => (refund > 0 ? ['payment.refunded'] : []);

const confirmSteps = [
  'append:booking.held',
  'append:payment.requested',
  'authorisePayment',
  'append:payment.authorised',
  'append:booking.confirmed',
];
const captureSteps = ['append:booking.completed', 'capturePayment', 'append:payment.captured', 'append:payment.closed'];
const releaseSteps = ['releasePayment', 'append:payment.released', 'append:payment.closed'];

export async function confirmed(deal: Deal): Promise<void> {
  await deal.propose();
  await deal.accept();
  await deal.until('confirmed');
}

/** Plays the job: one side checks in, and the provider completes. */
export async function carriedOut(deal: Deal, { side, finalPrice }: Variant): Promise<void> {
  await (side === 'consumer' ? deal.command('consumer', 'check-in') : deal.checkIn());
  await deal.finish(finalPrice);
}

/** Plays on after a declined card: pays with another card, and continues to the end. */
export async function paidAnew(deal: Deal, variant: Variant): Promise<void> {
  await deal.happened('payment.declined');
  await deal.payWith('pm_card_mastercard');
  await deal.command('consumer', 'pay');
  await deal.until('confirmed');
  await carriedOut(deal, variant);
}

export const plays = {
  completed: {
    commands: 4,
    steps: [...confirmSteps, ...captureSteps, 'append:request.completed'],
    requests: ['create', 'confirm', 'capture'],
    async run(deal, variant) {
      await confirmed(deal);
      await carriedOut(deal, variant);
    },
    endings: ({ finalPrice }) => [endingOf('completed', [[...paid, ...done], { captured: finalPrice }])],
  },

  unpaid: {
    commands: 3,
    steps: ['planReminders', 'append:booking.confirmed', 'append:booking.completed', 'append:request.completed'],
    requests: [],
    async run(deal, variant) {
      await deal.propose();
      await deal.acceptEarlier({ policy: { payments: 'none' } });
      await deal.until('confirmed');
      await carriedOut(deal, variant);
    },
    endings: () => [
      endingOf('completed', [['booking.held', 'booking.confirmed', 'booking.checked_in', 'booking.completed'], { authorised: 0 }]),
    ],
  },

  declinedOnce: {
    options: () => ({ card: 'pm_card_chargeCustomerFail' }),
    commands: 5,
    steps: [...confirmSteps, 'append:payment.declined'],
    requests: ['create', 'confirm', 'cancel', 'capture'],
    async run(deal, variant) {
      await deal.propose();
      await deal.accept();
      await paidAnew(deal, variant);
    },
    endings: ({ finalPrice }) => [
      endingOf('completed', [[...asked, 'payment.declined', 'booking.hold_extended', ...paid.slice(1), ...done], { captured: finalPrice }]),
    ],
  },

  neverPaid: {
    options: () => ({ card: 'pm_card_chargeCustomerFail' }),
    commands: 1,
    steps: ['append:payment.requested', 'append:booking.released', 'append:request.cancelled'],
    requests: ['create', 'confirm'],
    async run(deal) {
      await deal.propose();
      await deal.acceptEarlier({ policy: { holdMs: 8_000, holdExtensionMs: 4_000 } });
      await deal.until('released');
    },
    endings: () => [
      endingOf('cancelled', [[...asked, 'payment.declined', 'booking.hold_extended', 'booking.released'], { authorised: 0 }]),
      // The hold expired before the bank's answer was known, or before anything was requested from the bank.
      endingOf('cancelled', [[...asked, 'payment.released', 'booking.released'], { authorised: 0 }]),
      { ...endingOf('unfilled', [['booking.held', 'booking.released'], { authorised: 0 }]), reopened: 1 },
    ],
  },

  cancelled: {
    options: ({ notice }) => ({ inMs: notices[notice].inMs }),
    commands: 3,
    steps: [...confirmSteps, 'append:booking.cancelled', 'append:payment.closed', 'append:request.cancelled'],
    requests: ['create', 'confirm'],
    async run(deal) {
      await confirmed(deal);
      await deal.command('consumer', 'cancel');
    },
    endings({ notice }) {
      const captured = (price * notices[notice].feePercent) / 100;
      return [endingOf('cancelled', [[...paid, 'booking.cancelled', ...(captured ? taken : givenBack)], { captured }])];
    },
  },

  droppedOut: {
    options: () => ({ providers: 2 }),
    commands: 7,
    steps: [...confirmSteps, 'append:booking.cancelled', ...releaseSteps, 'append:request.reopened', ...captureSteps],
    requests: ['create', 'confirm', 'cancel', 'capture'],
    async run(deal, variant) {
      await confirmed(deal);
      await deal.command('provider', 'cancel', { reason: 'ill' });
      await deal.nextProvider();
      await confirmed(deal);
      await carriedOut(deal, variant);
    },
    endings: ({ finalPrice }) => [
      endingOf('completed', [[...paid, 'booking.cancelled', ...givenBack]], [[...paid, ...done], { captured: finalPrice }]),
    ],
  },

  rescheduled: {
    commands: 6,
    steps: ['append:reschedule.proposed', 'planReminders', 'append:booking.rescheduled', ...captureSteps],
    requests: ['create', 'confirm', 'capture'],
    async run(deal, variant) {
      await confirmed(deal);
      await deal.reschedule(variant.side, 3);
      await deal.agreeToReschedule(variant.side === 'consumer' ? 'provider' : 'consumer');
      await carriedOut(deal, variant);
    },
    endings: ({ finalPrice }) => [
      endingOf('completed', [[...paid, 'reschedule.proposed', 'booking.rescheduled', ...done], { captured: finalPrice }]),
    ],
  },

  noShow: {
    commands: 4,
    steps: [
      'append:booking.no_show',
      'capturePayment',
      'append:booking.disputed',
      'append:booking.settled',
      'refundPayment',
      'append:payment.refunded',
    ],
    requests: ['create', 'confirm', 'capture', 'refund'],
    async run(deal, { refund }) {
      await deal.propose();
      await deal.acceptEarlier({ startedMs: 90 * 60_000 });
      await deal.until('confirmed');
      await deal.command('provider', 'no-show');
      await deal.happened('payment.closed');
      await deal.command('consumer', 'contest', { reason: 'I was there' });
      await deal.rule(refund);
    },
    endings: ({ refund }) => [
      endingOf('cancelled', [
        [
          ...paid,
          'booking.no_show',
          ...taken,
          'booking.disputed',
          'operator.intervened',
          'booking.settled',
          ...refunded(refund),
          'payment.closed',
        ],
        { captured: price, refunded: refund },
      ]),
    ],
  },

  disputed: {
    commands: 6,
    steps: [...captureSteps, 'append:booking.disputed', 'append:booking.settled', 'refundPayment', 'append:payment.refunded'],
    requests: ['create', 'confirm', 'capture', 'refund'],
    async run(deal, variant) {
      await confirmed(deal);
      await carriedOut(deal, variant);
      await deal.happened('payment.closed');
      await deal.command(variant.side, 'dispute', { reason: 'it still leaks' });
      await deal.rule(variant.refund);
    },
    endings: ({ finalPrice, refund }) => [
      endingOf('completed', [
        [...paid, ...done, 'booking.disputed', 'operator.intervened', 'booking.settled', ...refunded(refund), 'payment.closed'],
        { captured: finalPrice, refunded: refund },
      ]),
    ],
  },
} satisfies Record<string, Play>;

export type PlayName = keyof typeof plays;
