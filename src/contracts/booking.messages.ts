import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { BookingIntervention } from '../domain/booking/types.ts';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';

export const bookingWorkflowId = (bookingId: string) => `booking/${bookingId}`;

/** The booking's terms stand in the first event of its timeline, written together with the acceptance. */
export interface BookingInput {
  bookingId: string;
}

/** From a request's run that was rebuilt beside its booking: tell me your end by signal. */
export const tellRequest = defineSignal('tellRequest');
export const checkIn = defineUpdate<CommandAnswer, [CommandMeta]>('checkIn');
export const completeBooking = defineUpdate<CommandAnswer, [CommandMeta & { finalPrice?: number }]>('completeBooking');
/** `fee`: the most the consumer has agreed to pay for it, minor units. */
export const cancelBooking = defineUpdate<CommandAnswer, [CommandMeta & { fee?: number }]>('cancelBooking');
export const proposeReschedule = defineUpdate<CommandAnswer, [CommandMeta & { startsAt: string; zone?: string }]>('proposeReschedule');
export const answerReschedule = defineUpdate<CommandAnswer, [CommandMeta & { accept: boolean }]>('answerReschedule');
export const reportNoShow = defineUpdate<CommandAnswer, [CommandMeta]>('reportNoShow');
export const contestNoShow = defineUpdate<CommandAnswer, [CommandMeta]>('contestNoShow');
export const disputeBooking = defineUpdate<CommandAnswer, [CommandMeta]>('disputeBooking');
export const payBooking = defineUpdate<CommandAnswer, [CommandMeta]>('payBooking');
/** `refund`: what a ruling gives back, minor units. */
export const interveneBooking = defineUpdate<
  CommandAnswer,
  [CommandMeta & { action: BookingIntervention; ticket: string; refund?: number }]
>('intervene');
/** What the payment provider tells by webhook; `eventId` makes a repeated delivery harmless. */
export const paymentEvent =
  defineSignal<[{ eventId: string; kind: 'authorised' | 'cancelled' | 'failed' | 'captured' | 'refunded'; attempt: number; ref: string }]>(
    'paymentEvent',
  );
