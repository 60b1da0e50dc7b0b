import { z } from 'zod';
import { reviewMachine } from '../domain/review/machine.ts';
import { reviewSides } from '../domain/review/types.ts';
import { Instant } from './common.ts';

const text = z.string().trim().max(2000);

export const SubmitReview = z
  .strictObject({ rating: z.int().min(1).max(5), text: text.default('') })
  .meta({ id: 'SubmitReview', example: { rating: 5, text: 'On time, and nothing drips any more' } });
export const ReplyToReview = z
  .strictObject({ text: text.min(1) })
  .meta({ id: 'ReplyToReview', example: { text: 'Thank you, it was a pleasure' } });
export const reportReasons = ['offensive', 'personal_information', 'not_about_this_booking', 'spam'] as const;
export const ReportReview = z
  .strictObject({ reason: z.enum(reportReasons) })
  .meta({ id: 'ReportReview', example: { reason: 'personal_information' } });

/** A review as its author and its subject see it. */
export const ReviewView = z
  .strictObject({
    id: z.uuid(),
    bookingId: z.uuid(),
    by: z.enum(reviewSides),
    status: z.enum(reviewMachine.statuses),
    rating: z.int(),
    text: z.string(),
    reply: z.string().nullable(),
    createdAt: Instant,
    publishedAt: Instant.nullable(),
  })
  .meta({ id: 'Review' });
export type ReviewView = z.infer<typeof ReviewView>;

/** A review as everybody sees it: nobody is named. */
export const PublicReview = z
  .strictObject({ id: z.uuid(), rating: z.int(), text: z.string(), reply: z.string().nullable(), publishedAt: Instant })
  .meta({ id: 'PublicReview' });
export type PublicReview = z.infer<typeof PublicReview>;
