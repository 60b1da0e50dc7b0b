// What a review can be, and who may write one.
import { defineMachine } from '../machine.ts';
import { carries, type KindOf, type Verbs } from '../verb.ts';

/** What somebody wrote about a booking: published together with the other side's, hidden by operators. */
export const reviewMachine = defineMachine('review', ['submitted', 'published', 'hidden'], {
  publish: { from: ['submitted'], to: 'published' },
  hide: { from: ['submitted', 'published'], to: 'hidden' },
  restore: { from: ['hidden'], to: 'published' },
});

export const reviewVerbs = {
  submitReview: {
    by: ['consumer', 'provider'],
    from: ['open'],
    carries: carries<{ reviewId: string; rating: number }>(),
    notifies: ['review_waiting', 'review_published'],
    says: 'one side writes its review',
  },
} as const satisfies Verbs;

/** What is told of the reviews of a booking. */
export type ReviewNews = KindOf<typeof reviewVerbs> | 'review_requested' | 'review_reminder';
