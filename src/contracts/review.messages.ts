import { defineSignal } from '@temporalio/workflow';
import { reviewVerbs } from '../domain/review/machine.ts';
import { updatesOf } from './update.messages.ts';

export const reviewWorkflowId = (bookingId: string) => `review/${bookingId}`;

/** Who reviews whom stands in the first event of the timeline, written together with the booking's completion. */
export interface ReviewInput {
  bookingId: string;
}

/** Somebody does not want to be asked again. */
export const optOut = defineSignal<[{ userId: string; eventId: string }]>('optOut');

/** What somebody outside may ask of it: see `reviewVerbs`. */
export const reviewUpdates = updatesOf(reviewVerbs);
