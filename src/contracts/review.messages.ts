import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';

export const reviewWorkflowId = (bookingId: string) => `review/${bookingId}`;

/** Who reviews whom stands in the first event of the timeline, written together with the booking's completion. */
export interface ReviewInput {
  bookingId: string;
}

export const submitReview = defineUpdate<CommandAnswer, [CommandMeta & { reviewId: string; rating: number }]>('submitReview');
/** Somebody does not want to be asked again. */
export const optOut = defineSignal<[{ userId: string; eventId: string }]>('optOut');
