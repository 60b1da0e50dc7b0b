import { iso } from '../time.ts';
import { remember, type Recorded } from '../timeline.ts';
import type { ReviewState, ReviewTimelineEvent } from './types.ts';

export const emptyReview: ReviewState = {
  status: 'open',
  applied: [],
  review: null,
  sides: { consumer: 'waiting', provider: 'waiting' },
  reviewIds: [],
  reminded: false,
  remindAt: '',
  publishAt: '',
};

/** Folds one written event into the state. */
export function evolveReview(before: ReviewState, event: Recorded<ReviewTimelineEvent>): ReviewState {
  const state = { ...before, applied: remember(before.applied, event.commandId) };
  switch (event.type) {
    case 'review.opened': {
      const { bookingId, consumerId, providerId, policy } = event;
      const after = (ms: number) => iso(Date.parse(event.at) + ms);
      return {
        ...state,
        review: { bookingId, consumerId, providerId },
        remindAt: after(policy.reviewRemindMs),
        publishAt: after(policy.reviewPublishMs),
      };
    }
    case 'review.submitted':
      return { ...state, sides: { ...state.sides, [event.side]: 'written' }, reviewIds: [...state.reviewIds, event.reviewId] };
    case 'review.opted_out':
      return { ...state, sides: { ...state.sides, [event.side]: 'opted_out' } };
    case 'review.reminded':
      return { ...state, reminded: true };
    case 'review.closed':
      return { ...state, status: 'closed' };
    case 'review.published':
    case 'command.refused':
      return state;
  }
}
