import { defineSignal } from '@temporalio/workflow';
import { reviewVerbs } from '../domain/review/machine.ts';
import { updatesOf } from './update.messages.ts';

export const reviewWorkflowId = (bookingId: string) => `review/${bookingId}`;

/** Who reviews whom stands in the first event of the timeline, written together with the booking's completion. */
export interface ReviewInput {
  bookingId: string;
}

/** Sent when one side does not want to be asked for a review again. */
export const optOut = defineSignal<[{ userId: string; eventId: string }]>('optOut');

/** The Updates of a reviews' run, one for each verb of `reviewVerbs`. */
export const reviewUpdates = updatesOf(reviewVerbs);
