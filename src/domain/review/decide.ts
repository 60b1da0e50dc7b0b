import { DomainError, invalid } from '../errors.ts';
import { reviewSides, type ReviewCommand, type ReviewSide, type ReviewState, type ReviewTimelineEvent } from './types.ts';
import { tell } from '../timeline.ts';

type Command<D extends ReviewCommand['do']> = Extract<ReviewCommand, { do: D }>;

/**
 * The events that a command writes. Neither side sees the other's review before both are written or the time is over, so that no review
 * answers the other one.
 * @param now milliseconds since the epoch
 * @throws DomainError the refusal
 */
export function decideReview(state: ReviewState, command: ReviewCommand, now: number): ReviewTimelineEvent[] {
  if (!state.review) throw new DomainError('timeline_behind', 'The booking was never completed.');
  switch (command.do) {
    case 'submitReview':
      return submit(state, command);
    case 'optOut': {
      const side = sideOf(state, command.userId);
      if (state.status === 'closed' || state.sides[side] !== 'waiting') return [];
      return [
        { type: 'review.opted_out', side, audience: [command.userId] },
        ...(waitingSides(state, side).length ? [] : close(state, state.reviewIds)),
      ];
    }
    case 'remind': {
      const silent = waitingSides(state).map((side) => idOf(state, side));
      if (state.status === 'closed' || state.reminded || now < Date.parse(state.remindAt)) return [];
      return [{ type: 'review.reminded', audience: silent, notify: tell('review_reminder', ...silent) }];
    }
    case 'close':
      return state.status === 'closed' || now < Date.parse(state.publishAt) ? [] : close(state, state.reviewIds);
  }
}

function submit(state: ReviewState, { by, reviewId, rating }: Command<'submitReview'>): ReviewTimelineEvent[] {
  const side = sideOf(state, by.id);
  if (state.sides[side] === 'written') throw new DomainError('already_reviewed');
  if (state.status === 'closed')
    throw new DomainError('invalid_transition', 'The time for reviews is over.', { status: 'closed', allowed: [] });
  if (!Number.isInteger(rating) || rating < 1 || rating > 5) {
    throw invalid('/rating', 'must be 1 to 5');
  }
  const other: ReviewSide = side === 'consumer' ? 'provider' : 'consumer';
  const subjectId = idOf(state, other);
  const waiting = state.sides[other] === 'waiting';
  return [
    {
      type: 'review.submitted',
      reviewId,
      bookingId: state.review!.bookingId,
      side,
      authorId: by.id,
      subjectId,
      rating,
      // Until publication, only the author and Proxie know the rating.
      audience: [by.id],
      notify: waiting ? tell('review_waiting', subjectId) : [],
    },
    ...(waiting ? [] : close(state, [...state.reviewIds, reviewId])),
  ];
}

/** Publishes the written reviews. From then on nobody is asked for one. */
function close(state: ReviewState, reviewIds: string[]): ReviewTimelineEvent[] {
  const { bookingId, consumerId, providerId } = state.review!;
  const both = [consumerId, providerId];
  const published: ReviewTimelineEvent = {
    type: 'review.published',
    bookingId,
    reviewIds,
    audience: both,
    notify: tell('review_published', ...both),
  };
  return [...(reviewIds.length ? [published] : []), { type: 'review.closed', published: reviewIds.length, audience: both }];
}

const waitingSides = ({ sides }: ReviewState, except?: ReviewSide): ReviewSide[] =>
  reviewSides.filter((side) => side !== except && sides[side] === 'waiting');

const idOf = ({ review }: ReviewState, side: ReviewSide): string => (side === 'consumer' ? review!.consumerId : review!.providerId);

function sideOf({ review }: ReviewState, userId: string): ReviewSide {
  if (userId === review!.consumerId) return 'consumer';
  if (userId === review!.providerId) return 'provider';
  throw new DomainError('not_owner');
}
