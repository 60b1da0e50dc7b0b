import { defineSignal } from '@temporalio/workflow';
import { reviewVerbs } from '../domain/review/machine.ts';
import type { AboutBooking } from './booking.messages.ts';
import { updatesOf } from './update.messages.ts';

export const reviewWorkflowId = (bookingId: string) => `review/${bookingId}`;

/** Sent when one side does not want to be asked for a review again. */
export const optOut = defineSignal<[AboutBooking & { userId: string; eventId: string }]>('optOut');

/** The Updates about a booking's reviews, one for each verb of `reviewVerbs`. */
export const reviewUpdates = updatesOf<typeof reviewVerbs, AboutBooking>(reviewVerbs);
