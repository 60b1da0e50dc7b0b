// Statuses and moves of a booking and its payments, and the verbs of a booking.
import { defineMachine } from '../machine.ts';
import { carries, type KindOf, type Verbs } from '../verb.ts';

/** A reschedule keeps `confirmed` and swaps the slot. */
export const bookingMachine = defineMachine(
  'booking',
  ['held', 'confirmed', 'in_progress', 'completed', 'released', 'cancelled', 'no_show', 'disputed', 'settled'],
  {
    confirm: { from: ['held'], to: 'confirmed' },
    release: { from: ['held'], to: 'released' },
    checkIn: { from: ['confirmed'], to: 'in_progress' },
    complete: { from: ['in_progress'], to: 'completed' },
    cancel: { from: ['confirmed'], to: 'cancelled' },
    reportNoShow: { from: ['confirmed'], to: 'no_show' },
    dispute: { from: ['completed', 'no_show'], to: 'disputed' },
    settle: { from: ['disputed'], to: 'settled' },
  },
);
export type BookingStatus = (typeof bookingMachine.statuses)[number];
/** Statuses in which a booking occupies the provider's calendar. */
export const occupyingStatuses = ['held', 'confirmed', 'in_progress'] as const satisfies readonly BookingStatus[];

/** One authorisation of a booking's price. A booking has several when one is declined, or replaced before it lapses. */
export const paymentMachine = defineMachine('payment', ['requested', 'authorised', 'declined', 'captured', 'released'], {
  authorise: { from: ['requested'], to: 'authorised' },
  decline: { from: ['requested'], to: 'declined' },
  capture: { from: ['authorised'], to: 'captured' },
  release: { from: ['requested', 'authorised'], to: 'released' },
});
export type PaymentStatus = (typeof paymentMachine.statuses)[number];

export const bookingInterventions = ['cancel', 'complete', 'rule', 'retry_payment', 'write_off'] as const;
export type BookingIntervention = (typeof bookingInterventions)[number];

const sides = ['consumer', 'provider'] as const;

export const bookingVerbs = {
  payBooking: {
    by: ['consumer'],
    says: 'the consumer tries to pay again',
    route: {
      path: '/bookings/:bookingId/pay',
      summary: 'Consumer: try the payment again, after a decline',
      errors: ['too_late'],
    },
  },
  checkIn: {
    by: sides,
    move: 'checkIn',
    says: 'the job begins',
    route: {
      path: '/bookings/:bookingId/check-in',
      summary: 'The job begins',
      description:
        'The provider sends the code that the consumer shows. After five wrong ones the consumer has to make a new one. The consumer needs none: theirs is the word that the provider has come.',
      errors: ['too_early', 'wrong_code', 'code_locked'],
    },
  },
  completeBooking: {
    by: ['provider'],
    move: 'complete',
    carries: carries<{ finalPrice?: number }>(),
    notifies: ['booking_completed', 'review_requested'],
    says: 'the job is done',
    route: {
      path: '/bookings/:bookingId/complete',
      summary: 'Provider: the job is done',
      description: 'The final price is the agreed one, or another one within the bounds that were agreed on.',
      errors: ['price_out_of_bounds'],
    },
  },
  cancelBooking: {
    by: sides,
    move: 'cancel',
    /** `fee`: the most that the consumer has agreed to pay for the cancellation, in minor units. */
    carries: carries<{ fee?: number }>(),
    notifies: ['booking_cancelled'],
    says: 'either side cancels',
    route: {
      path: '/bookings/:bookingId/cancel',
      summary: 'Cancel, by either side; when the provider does, the search goes on',
      description:
        'What it costs the consumer stands in `GET /bookings/{bookingId}/cancel/preview`; with its `fee` in the body, a cancellation that has become dearer is refused.',
      errors: ['fee_changed'],
    },
  },
  proposeReschedule: {
    by: sides,
    from: ['confirmed'],
    carries: carries<{ startsAt: string; zone?: string }>(),
    notifies: ['reschedule_proposed', 'reschedule_expired'],
    says: 'either side proposes another slot',
    route: {
      path: '/bookings/:bookingId/reschedule',
      summary: 'Propose another slot; the agreed one stays until the other side has said yes',
      description: 'The slot keeps its length. Each side may propose as often as the policy says.',
      errors: ['reschedule_pending', 'reschedule_limit', 'too_late', 'slot_taken', 'outside_slot_rules', 'local_time_gap'],
    },
  },
  answerReschedule: {
    by: sides,
    from: ['confirmed'],
    /**
     * `remindAt`: instants of the reminders (RFC 3339), outside quiet hours. An activity plans them, because zone data may differ between
     * machines.
     */
    carries: carries<{ accept: boolean; remindAt?: string[] }>(),
    notifies: ['reschedule_declined', 'reschedule_withdrawn', 'booking_rescheduled'],
    says: 'yes or no to the proposed slot',
    route: {
      path: '/bookings/:bookingId/reschedule/answer',
      summary: 'Say yes or no to the proposed slot; whoever proposed it takes it back with a no',
      description: 'With the yes both slots are swapped in one transaction: when the new one has gone meanwhile, the agreed one stays.',
      errors: ['not_your_turn', 'too_late', 'slot_taken', 'outside_slot_rules'],
    },
  },
  reportNoShow: {
    by: sides,
    move: 'reportNoShow',
    notifies: ['booking_no_show'],
    says: 'the other side did not come',
    route: { path: '/bookings/:bookingId/no-show', summary: 'The other side did not come', errors: ['too_early'] },
  },
  contestNoShow: {
    by: sides,
    move: 'dispute',
    notifies: ['booking_disputed'],
    says: 'the absent side says it was there',
    route: {
      path: '/bookings/:bookingId/contest',
      summary: 'You are said not to have come, and you were there',
      description: 'Possible until `contestUntil`.',
      errors: ['too_late'],
    },
  },
  disputeBooking: {
    by: sides,
    move: 'dispute',
    notifies: ['booking_disputed'],
    says: 'either side objects; an operator rules',
    route: {
      path: '/bookings/:bookingId/dispute',
      summary: 'Object to how it went; an operator rules',
      description: 'Possible until `disputeUntil`.',
      errors: ['too_late'],
    },
  },
  intervene: {
    by: ['admin'],
    /** `refund`: what a ruling gives back, in minor units. */
    carries: carries<{ action: BookingIntervention; ticket: string; refund?: number }>(),
    notifies: ['booking_settled', 'booking_cancelled', 'booking_completed'],
    says: 'an operator acts: reason and ticket required',
    route: {
      path: '/admin/bookings/:bookingId/intervene',
      summary: 'Operator: end a booking, rule on a dispute, unstick its money',
      description:
        '`cancel` and `complete` end it for both; `rule` settles a dispute; `retry_payment` and `write_off` go on where a money step has given up.',
      errors: ['price_out_of_bounds'],
    },
  },
} as const satisfies Verbs;

/** Kinds of notifications about a booking: those that verbs cause, and those that the run causes by itself. */
export type BookingNews =
  KindOf<typeof bookingVerbs> | 'booking_confirmed' | 'booking_released' | 'booking_reminder' | 'payment_declined' | 'payment_refunded';
