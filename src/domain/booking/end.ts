// The events that end a booking.
import { capturedBy } from './money.ts';
import { both, isOver, movesMoney } from './state.ts';
import type { BookingSide, BookingState, BookingTimelineEvent } from './types.ts';
import type { BookingOutcome } from '../terms.ts';
import { tell } from '../timeline.ts';
import type { BookingNews } from './machine.ts';

/** Completes a booking and opens its reviews in the same transaction: neither event exists without the other. */
export function completed(
  state: BookingState,
  end: { finalPrice: number; automatic: boolean; notify: { to: string; kind: BookingNews }[] },
): BookingTimelineEvent[] {
  const { bookingId, consumerId, providerId } = state.booking!;
  const { version, reviewRemindMs, reviewPublishMs } = state.policy!;
  const audience = [consumerId, providerId];
  return [
    { type: 'booking.completed', ...end, ...settling(state), audience },
    {
      type: 'review.opened',
      stream: `review/${bookingId}`,
      bookingId,
      consumerId,
      providerId,
      policy: { version, reviewRemindMs, reviewPublishMs },
      audience,
      notify: tell('review_requested', ...audience),
    },
  ];
}

/** Cancels a booking. @param end with `fee`: what the consumer pays, in minor units */
export function cancelled(
  state: BookingState,
  end: { outcome: BookingOutcome; side: BookingSide | 'operator'; code?: string; fee: number; reason?: string | undefined },
  told: { notify: { to: string; kind: BookingNews }[] },
): BookingTimelineEvent {
  const { reason, ...rest } = end;
  return { type: 'booking.cancelled', ...rest, ...settling(state), ...(reason !== undefined && { reason }), ...both(state), ...told };
}

/** Marks the event that ends a booking while money is still to be moved: the stream then stays open. */
export const settling = (state: BookingState): { settling?: true } => (!isOver(state) && movesMoney(state) ? { settling: true } : {});

/** The most that a ruling can give back, in minor units. */
export const refundable = (state: BookingState): number => (movesMoney(state) ? capturedBy(state) : state.charge);
