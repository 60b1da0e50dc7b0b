import type { Actor } from './actor.ts';
import type { BookingStatus } from './booking.machine.ts';
import type { Policy } from './policy.ts';
import type { BookingOutcome, Terms } from './request.types.ts';
import type { ReviewOpened } from './review.types.ts';
import type { CommandRefused, EventBase, StreamState } from './timeline.ts';

/** Written together with the acceptance: the slot and the agreement are one transaction. */
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
}

interface Meta {
  id: string;
  by: Actor;
  onBehalfOf?: string;
  reason?: string;
}

export type BookingCommand = Meta &
  (
    | { do: 'confirm' }
    | { do: 'remind'; index: number }
    | { do: 'checkIn' }
    | { do: 'completeBooking'; finalPrice?: number }
    | { do: 'autoComplete' }
    | { do: 'cancelBooking' }
    | { do: 'reportNoShow' }
    | { do: 'intervene'; action: 'cancel' | 'complete'; ticket: string }
  );

export type BookingEvent = EventBase &
  (
    | BookingHeld
    | { type: 'booking.confirmed' }
    | { type: 'booking.released'; code: string }
    | { type: 'booking.reminded'; index: number }
    | { type: 'booking.checked_in' }
    | { type: 'booking.completed'; finalPrice: number; automatic: boolean }
    | { type: 'booking.cancelled'; outcome: BookingOutcome }
    | { type: 'booking.no_show'; absent: 'consumer' | 'provider' }
    | { type: 'operator.intervened'; action: string; ticket: string }
  );

/** What a booking's run appends: its own events, refusals of facts, and the first event of the reviews it opens. */
export type BookingTimelineEvent = BookingEvent | CommandRefused | (ReviewOpened & EventBase);

export interface BookingState extends StreamState {
  status: BookingStatus;
  opened: boolean;
  booking: Omit<BookingHeld, 'type' | 'policy'> | null;
  policy: Policy | null;
  /** Reminders already sent, by index into the policy. */
  reminded: number[];
  confirmedAt: string | null;
  checkedInAt: string | null;
  finalPrice: number | null;
  outcome: BookingOutcome | null;
}
