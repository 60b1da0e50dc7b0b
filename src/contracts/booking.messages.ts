import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CommandAnswer, CommandMeta } from './command.ts';

export const bookingWorkflowId = (bookingId: string) => `booking/${bookingId}`;

/** The booking's terms stand in the first event of its timeline, written together with the acceptance. */
export interface BookingInput {
  bookingId: string;
}

/** From a request's run that was rebuilt beside its booking: tell me your end by signal. */
export const tellRequest = defineSignal('tellRequest');
export const checkIn = defineUpdate<CommandAnswer, [CommandMeta]>('checkIn');
export const completeBooking = defineUpdate<CommandAnswer, [CommandMeta & { finalPrice?: number }]>('completeBooking');
export const cancelBooking = defineUpdate<CommandAnswer, [CommandMeta]>('cancelBooking');
export const reportNoShow = defineUpdate<CommandAnswer, [CommandMeta]>('reportNoShow');
export const interveneBooking = defineUpdate<CommandAnswer, [CommandMeta & { action: 'cancel' | 'complete'; ticket: string }]>('intervene');
