import type { Policy } from '../policy.ts';
import type { CommandRefused, EventBase, StreamState } from '../timeline.ts';
import type { CommandMeta } from '../command.ts';
import type { CommandOf } from '../verb.ts';
import type { ReviewNews, reviewVerbs } from './machine.ts';

export const reviewSides = ['consumer', 'provider'] as const;
export type ReviewSide = (typeof reviewSides)[number];

/** Opens the reviews, in the same transaction as the booking's completion: a completed booking always has its reviews. */
export interface ReviewOpened {
  type: 'review.opened';
  bookingId: string;
  consumerId: string;
  providerId: string;
  policy: Pick<Policy, 'version' | 'reviewRemindMs' | 'reviewPublishMs'>;
}

/** Commands that the run gives to itself, or makes from Signals. */
type ReviewStep = CommandMeta & ({ do: 'optOut'; userId: string } | { do: 'remind' } | { do: 'close' });

export type ReviewCommand = CommandOf<typeof reviewVerbs> | ReviewStep;

export type ReviewEvent = EventBase<ReviewNews> &
  (
    | ReviewOpened
    | {
        type: 'review.submitted';
        reviewId: string;
        bookingId: string;
        side: ReviewSide;
        authorId: string;
        subjectId: string;
        rating: number;
      }
    | { type: 'review.opted_out'; side: ReviewSide }
    | { type: 'review.reminded' }
    | { type: 'review.published'; bookingId: string; reviewIds: string[] }
    | { type: 'review.closed'; published: number }
  );

export type ReviewTimelineEvent = ReviewEvent | CommandRefused;

export type SideStatus = 'waiting' | 'written' | 'opted_out';

export interface ReviewState extends StreamState {
  status: 'open' | 'closed';
  review: Omit<ReviewOpened, 'type' | 'policy'> | null;
  sides: Record<ReviewSide, SideStatus>;
  reviewIds: string[];
  reminded: boolean;
  /** Instants, RFC 3339. */
  remindAt: string;
  publishAt: string;
}
