import { defineSignal } from '@temporalio/workflow';
import { bookingVerbs } from '../domain/booking/machine.ts';
import { requestWorkflowId } from './request.messages.ts';
import { updatesOf } from './update.messages.ts';

export const bookingWorkflowId = (bookingId: string) => `booking/${bookingId}`;

/** The booking's terms stand in the first event of its timeline, which was written together with the agreement. */
export interface BookingInput {
  bookingId: string;
}

/** Names the booking that a command or a fact is about. Without it, the newest booking of the run is meant. */
export interface AboutBooking {
  bookingId?: string;
}

/**
 * The workflow id of the run that answers for a booking and for its reviews: its request's run, or for an occurrence of a series its own.
 * @param booking ids that stand in the booking's row and in its first event
 */
export const runOfBooking = ({ id, requestId, seriesId }: { id: string; requestId: string; seriesId?: string | null }): string =>
  seriesId ? bookingWorkflowId(id) : requestWorkflowId(requestId);

/** A report of the payment provider's webhook. `eventId` makes a repeated delivery harmless. */
export const paymentEvent = defineSignal<
  [
    AboutBooking & {
      eventId: string;
      kind: 'authorised' | 'cancelled' | 'failed' | 'captured' | 'refunded';
      attempt: number;
      ref: string;
    },
  ]
>('paymentEvent');

/** The Updates about a booking, one for each verb of `bookingVerbs`. */
export const bookingUpdates = updatesOf<typeof bookingVerbs, AboutBooking>(bookingVerbs, { intervene: 'interveneBooking' });
