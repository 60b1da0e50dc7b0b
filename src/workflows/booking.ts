// The run of one occurrence of a series: it hosts the booking and its reviews. All other bookings have the run of their request.
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { BookingInput } from '../contracts/booking.messages.ts';
import { toFailure } from '../contracts/failures.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import { movesMoney } from '../domain/booking/state.ts';
import type { BookingState } from '../domain/booking/types.ts';
import { DomainError } from '../domain/errors.ts';
import type { BookingOutcome } from '../domain/terms.ts';
import { describeBooking } from './details.ts';
import { lives } from './lives.ts';
import { answerPosition } from './position.ts';
import { bookingsOf, isDone } from './request/bookings.ts';
import { streams } from './streams.ts';

export async function bookingWorkflow({
  bookingId,
}: BookingInput): Promise<{ status: BookingState['status']; outcome: BookingOutcome | null }> {
  const run = streams(show);
  const living = lives(run);
  const bookings = bookingsOf({ run, lives: living });
  bookings.adopt(bookingId);
  const hosted = bookings.of({ bookingId })!;
  const { booking } = hosted;
  let staged = workflowInfo().typedSearchAttributes.get(searchAttributes.stage);
  let known = false;
  const learned = run.learn();

  answerPosition(run);
  // Nobody can act on a booking before its confirmation.
  bookings.receive(() => condition(() => known && (booking.state.status !== 'held' || movesMoney(booking.state))));

  await learned;
  if (!booking.state.opened) throw toFailure(new DomainError('timeline_behind', 'The booking was never held.'));
  const { status, outcome, booking: terms } = booking.state;
  if (!terms?.seriesId) return { status, outcome };
  known = true;
  try {
    do {
      await condition(() => isDone(hosted) && run.idle());
      await condition(allHandlersFinished);
    } while (!isDone(hosted));
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(living.ended);
    throw error;
  }
  return { status: booking.state.status, outcome: booking.state.outcome };

  function show(): void {
    setCurrentDetails(describeBooking(hosted));
    const stage = hosted.review?.state.status === 'open' ? 'reviews open' : booking.state.status;
    if (stage === staged || stage === 'held') return;
    staged = stage;
    upsertSearchAttributes([{ key: searchAttributes.stage, value: stage }]);
  }
}
