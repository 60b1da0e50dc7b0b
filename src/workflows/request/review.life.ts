// The life of both reviews of a completed booking: it reminds once and publishes both together.
import { SYSTEM } from '../../domain/actor.ts';
import type { ReviewCommand, ReviewState } from '../../domain/review/types.ts';
import type { Actor } from '../actor.ts';
import type { Alarm } from '../alarm.ts';

export async function liveReviews(review: Actor<ReviewState, ReviewCommand>, clock: Alarm): Promise<void> {
  const closed = () => review.state.status === 'closed';
  const reminded = () => closed() || review.state.reminded;
  if (!(await clock.until(reminded, () => Date.parse(review.state.remindAt), 'a reminder to review')))
    await review.act({ id: 'remind', do: 'remind', by: SYSTEM });
  if (!(await clock.until(closed, () => Date.parse(review.state.publishAt), 'the reviews are published')))
    await review.act({ id: 'close', do: 'close', by: SYSTEM });
}
