import { defineSignal } from '@temporalio/workflow';
import { bookingVerbs } from '../domain/booking/machine.ts';
import { updatesOf } from './update.messages.ts';

export const bookingWorkflowId = (bookingId: string) => `booking/${bookingId}`;

/** The booking's terms stand in the first event of its timeline, which was written together with the agreement. */
export interface BookingInput {
  bookingId: string;
}

/** Sent by a request's run that was rebuilt beside its booking: the booking then tells its end by Signal. */
export const tellRequest = defineSignal('tellRequest');
/** A report of the payment provider's webhook. `eventId` makes a repeated delivery harmless. */
export const paymentEvent =
  defineSignal<[{ eventId: string; kind: 'authorised' | 'cancelled' | 'failed' | 'captured' | 'refunded'; attempt: number; ref: string }]>(
    'paymentEvent',
  );

/** The Updates of a booking's run, one for each verb of `bookingVerbs`. */
export const bookingUpdates = updatesOf(bookingVerbs);
