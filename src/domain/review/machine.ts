// Statuses and moves of a review, and the verb that writes one.
import { defineMachine } from '../machine.ts';
import { carries, type KindOf, type Verbs } from '../verb.ts';

/** One side's review of a booking. It is published together with the other side's; operators may hide it. */
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

/** Kinds of notifications about the reviews of a booking. */
export type ReviewNews = KindOf<typeof reviewVerbs> | 'review_requested' | 'review_reminder';
