import { defineSignal } from '@temporalio/workflow';
import { bookingVerbs } from '../domain/booking/machine.ts';
import { updatesOf } from './update.messages.ts';

export const bookingWorkflowId = (bookingId: string) => `booking/${bookingId}`;

/** The booking's terms stand in the first event of its timeline, written together with the acceptance. */
export interface BookingInput {
  bookingId: string;
}

/** From a request's run that was rebuilt beside its booking: tell me your end by signal. */
export const tellRequest = defineSignal('tellRequest');
/** What the payment provider tells by webhook; `eventId` makes a repeated delivery harmless. */
export const paymentEvent =
  defineSignal<[{ eventId: string; kind: 'authorised' | 'cancelled' | 'failed' | 'captured' | 'refunded'; attempt: number; ref: string }]>(
    'paymentEvent',
  );

/** What somebody outside may ask of it: see `bookingVerbs`. */
export const bookingUpdates = updatesOf(bookingVerbs);
