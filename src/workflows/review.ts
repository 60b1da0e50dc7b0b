// The run of both reviews of a completed booking: it reminds once and publishes both together.
import { allHandlersFinished, condition, setCurrentDetails, setHandler, uuid4 } from '@temporalio/workflow';
import { toFailure } from '../contracts/failures.ts';
import { optOut, type ReviewInput, reviewUpdates, reviewWorkflowId } from '../contracts/review.messages.ts';
import { SYSTEM } from '../domain/actor.ts';
import { DomainError } from '../domain/errors.ts';
import { decideReview } from '../domain/review/decide.ts';
import { actor } from './actor.ts';
import { alarm } from './alarm.ts';
import { describeReview } from './details.ts';
import { receive } from './receive.ts';
import { isEventId } from '../domain/ids.ts';
import { emptyReview, evolveReview } from '../domain/review/evolve.ts';
import { reviewVerbs } from '../domain/review/machine.ts';
import { answerPosition } from './position.ts';

export async function reviewWorkflow({ bookingId }: ReviewInput): Promise<{ published: number }> {
  const review = actor({
    stream: reviewWorkflowId(bookingId),
    initial: emptyReview,
    decide: decideReview,
    evolve: evolveReview,
    onFold: (state) => setCurrentDetails(describeReview(state)),
  });
  const timer = alarm();
  const learned = review.learn();

  answerPosition(review);
  receive(review, reviewVerbs, reviewUpdates);
  setHandler(optOut, (fact) => review.commitFact(refusalToWrite(fact)), { description: 'one side does not want to be asked' });

  await learned;
  if (!review.state.review) throw toFailure(new DomainError('timeline_behind', 'The booking was never completed.'));
  const closed = () => review.state.status === 'closed';
  if (!(await timer.until(closed, () => Date.parse(review.state.remindAt), 'reminder')))
    await review.act({ id: 'remind', do: 'remind', by: SYSTEM });
  if (!(await timer.until(closed, () => Date.parse(review.state.publishAt), 'publish')))
    await review.act({ id: 'close', do: 'close', by: SYSTEM });
  timer.disarm();
  await condition(allHandlersFinished);
  return { published: review.state.reviewIds.length };
}

/** Makes a command from a Signal. Nobody has validated the Signal: values that do not fit lead to a refusal on the timeline. */
function refusalToWrite(fact: Partial<{ userId: string; eventId: string }> | undefined) {
  const { userId, eventId } = fact ?? {};
  const id = isEventId(eventId) ? eventId : uuid4();
  return { id: `opt-out/${id}`, do: 'optOut' as const, by: SYSTEM, userId: String(userId) };
}
