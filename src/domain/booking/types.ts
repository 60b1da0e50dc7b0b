import type { BookingNews, BookingStatus, bookingVerbs, PaymentStatus } from './machine.ts';
import type { Policy } from '../policy.ts';
import type { ReviewOpened } from '../review/types.ts';
import type { CommandRefused, EventBase, StreamState } from '../timeline.ts';
import type { BookingOutcome, Slot, Terms } from '../terms.ts';
import type { CommandMeta } from '../command.ts';
import type { CommandOf } from '../verb.ts';

export type BookingSide = 'consumer' | 'provider';

/** Opens the booking, in the same transaction as the agreement: an accepted offer or an occurrence of a series. */
export interface BookingHeld extends Terms {
  type: 'booking.held';
  bookingId: string;
  requestId: string;
  offerId: string;
  consumerId: string;
  providerId: string;
  service: string;
  heldUntil: string;
  policy: Policy;
  /** The series to which the booking belongs, if any. The request of such a booking has already ended. */
  seriesId?: string;
}

/** The events that open a booking. They are written together with the agreement; without a payment it is confirmed at once. */
export type BookingOpening = Extract<BookingEvent, { type: 'booking.held' | 'booking.confirmed' }>;

/** Commands that the run gives to itself, for its clock and its money. `remindAt`: see `answerReschedule`. */
type BookingStep = CommandMeta &
  (
    | { do: 'confirm'; remindAt?: string[] }
    | { do: 'release'; code: string }
    | { do: 'remind'; index: number }
    | { do: 'autoComplete' }
    | { do: 'cancelUnpaid' }
    | { do: 'dropReschedule'; code: string }
    | { do: 'requestPayment' }
    | { do: 'recordAuthorisation'; attempt: number; ref: string; lapsesAt: string }
    | { do: 'recordDecline'; attempt: number; code: string }
    | { do: 'recordCapture'; attempt: number; amount: number }
    | { do: 'recordRelease'; attempt: number; code: string }
    | { do: 'recordRefund'; attempt: number; amount: number }
    | { do: 'reportStuck'; step: string; code: string }
    | { do: 'closeMoney' }
  );

export type BookingCommand = CommandOf<typeof bookingVerbs> | BookingStep;

/**
 * `settling`: money is still to be moved, so the stream stays open until `payment.closed`. Timelines of the first release have no `fee` and
 * no `contestUntil`.
 */
export type BookingEvent = EventBase<BookingNews> &
  (
    | BookingHeld
    | { type: 'booking.hold_extended'; heldUntil: string }
    | { type: 'booking.confirmed'; remindAt?: string[] }
    | { type: 'booking.released'; code: string; settling?: true }
    | { type: 'booking.reminded'; index: number }
    | { type: 'booking.checked_in' }
    | { type: 'booking.completed'; finalPrice: number; automatic: boolean; settling?: true }
    | { type: 'booking.cancelled'; outcome: BookingOutcome; side: BookingSide | 'operator'; code?: string; fee?: number; settling?: true }
    | { type: 'booking.no_show'; absent: BookingSide; fee?: number; contestUntil?: string; settling?: true }
    | { type: 'booking.disputed'; side: BookingSide }
    | { type: 'booking.settled'; refund: number; settling?: true }
    | ({ type: 'booking.rescheduled'; remindAt?: string[] } & Slot)
    | ({ type: 'reschedule.proposed'; side: BookingSide; expiresAt: string } & Slot)
    | { type: 'reschedule.declined' | 'reschedule.withdrawn' }
    | { type: 'reschedule.expired'; code: string }
    | { type: 'payment.requested'; attempt: number; amount: number }
    | { type: 'payment.authorised'; attempt: number; ref: string; lapsesAt: string }
    | { type: 'payment.declined'; attempt: number; code: string }
    | { type: 'payment.captured'; attempt: number; amount: number }
    | { type: 'payment.released'; attempt: number; code: string }
    | { type: 'payment.refunded'; attempt: number; amount: number }
    | { type: 'payment.stuck'; step: string; code: string }
    | { type: 'payment.resumed' }
    | { type: 'payment.written_off'; step: string; amount: number }
    | { type: 'payment.closed' }
    | { type: 'operator.intervened'; action: string; ticket: string }
  );

/** The events that a booking's command writes: its own, refusals of facts, and the first event of the reviews it opens. */
export type BookingTimelineEvent = BookingEvent | CommandRefused | (ReviewOpened & EventBase);

/** One authorisation; amounts in minor units of the booking's currency. */
export interface PaymentState {
  attempt: number;
  status: PaymentStatus;
  amount: number;
  captured: number;
  refunded: number;
  ref: string | null;
  requestedAt: string;
  lapsesAt: string | null;
}

export interface BookingState extends StreamState {
  status: BookingStatus;
  opened: boolean;
  booking: Omit<BookingHeld, 'type' | 'policy'> | null;
  policy: Policy | null;
  /** Whether the booking was held under the first release: it keeps that release's steps. */
  firstRelease: boolean;
  /** When each reminder is due, RFC 3339; null on timelines without planned reminders. */
  remindAt: string[] | null;
  /** Reminders already sent, by index. */
  reminded: number[];
  /** When the reminders were planned, RFC 3339. A reminder that was due before is not sent. */
  plannedAt: string | null;
  checkedInAt: string | null;
  /** When the booking was completed, cancelled or reported as a no-show, RFC 3339. */
  endedAt: string | null;
  finalPrice: number | null;
  outcome: BookingOutcome | null;
  absent: BookingSide | null;
  holdExtended: boolean;
  /** The proposal that waits for an answer. */
  reschedule: (Slot & { side: BookingSide; expiresAt: string }) | null;
  reschedulesBy: Record<BookingSide, number>;
  payments: PaymentState[];
  /** What the consumer owes at the end, and what a ruling gives back; minor units. */
  charge: number;
  refundDue: number;
  /** The money step that gave up and waits for an operator. */
  stuck: { step: string; code: string } | null;
  settling: boolean;
}
