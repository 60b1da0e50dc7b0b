// A confirmed slot on its way to completion. Its first event was written together with the acceptance.
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import {
  bookingWorkflowId,
  cancelBooking,
  checkIn,
  completeBooking,
  interveneBooking,
  reportNoShow,
  tellRequest,
  type BookingInput,
} from '../contracts/booking.messages.ts';
import { bookingEnded, requestWorkflowId } from '../contracts/request.messages.ts';
import { reviewWorkflowId } from '../contracts/review.messages.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import { SYSTEM } from '../domain/actor.ts';
import { bookingIsOver, decideBooking, emptyBooking, evolveBooking } from '../domain/booking.ts';
import type { BookingOutcome } from '../domain/request.types.ts';
import type { BookingCommand, BookingState } from '../domain/booking.types.ts';
import { actor, answerPosition } from './actor.ts';
import { alarm } from './alarm.ts';
import { describeBooking } from './details.ts';
import { receive } from './receive.ts';
import { reviewWorkflow } from './review.ts';

export async function bookingWorkflow({ bookingId }: BookingInput): Promise<{ status: BookingState['status']; outcome: BookingOutcome }> {
  const booking = actor({
    stream: bookingWorkflowId(bookingId),
    initial: emptyBooking,
    decide: decideBooking,
    evolve: evolveBooking,
    onFold: (state) => setCurrentDetails(describeBooking(state)),
  });
  const timer = alarm();
  // Both are queued before any handler is set: nobody can act on a booking that is not confirmed yet.
  const confirmed = Promise.all([booking.learn(), booking.act({ id: 'confirm', do: 'confirm', by: SYSTEM })]);

  // A child's result tells its request; without a parent, or when the parent was rebuilt, only a signal does.
  let mustSignal = !workflowInfo().parent;
  answerPosition(booking);
  setHandler(tellRequest, () => void (mustSignal = true), { description: 'the request was rebuilt and cannot see our result' });
  receive(booking, checkIn, 'checkIn', 'the job begins');
  receive(booking, completeBooking, 'completeBooking', 'the job is done');
  receive(booking, cancelBooking, 'cancelBooking', 'either side cancels');
  receive(booking, reportNoShow, 'reportNoShow', 'the other side did not come');
  receive(booking, interveneBooking, 'intervene', 'an operator acts: reason and ticket required');

  await confirmed;
  while (!bookingIsOver(booking.state)) {
    const next = nextDue(booking.state);
    const inTime = await timer.until(
      () => bookingIsOver(booking.state) || nextDue(booking.state).id !== next.id,
      () => next.at,
      next.summary,
    );
    if (!inTime) await booking.act(next.command);
  }
  timer.disarm();
  upsertSearchAttributes([{ key: searchAttributes.stage, value: booking.state.status }]);
  await Promise.all([...(mustSignal ? [signalEnd()] : []), ...(booking.state.status === 'completed' ? [askForReviews()] : [])]);
  await condition(allHandlersFinished);
  return { status: booking.state.status, outcome: booking.state.outcome! };

  /** The reviews were opened with the completion and live in a run of their own; running already: somebody repaired it. */
  async function askForReviews(): Promise<void> {
    try {
      await startChild(reviewWorkflow, {
        workflowId: reviewWorkflowId(bookingId),
        args: [{ bookingId }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        staticSummary: `Reviews of ${booking.state.booking!.service}`,
        typedSearchAttributes: [
          { key: searchAttributes.consumer, value: booking.state.booking!.consumerId },
          { key: searchAttributes.provider, value: booking.state.booking!.providerId },
          { key: searchAttributes.service, value: booking.state.booking!.service },
          { key: searchAttributes.stage, value: 'open' },
        ],
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  /** Where the request's run is gone, the reconciler starts it, and tells it. */
  async function signalEnd(): Promise<void> {
    const { requestId } = booking.state.booking!;
    const outcome = booking.state.outcome!;
    try {
      await getExternalWorkflowHandle(requestWorkflowId(requestId)).signal(bookingEnded, { bookingId, outcome });
    } catch (error) {
      log.warn('the request has no run to tell; the reconciler will start one', { requestId, error });
    }
  }
}

interface Due {
  id: string;
  at: number;
  summary: string;
  command: BookingCommand;
}

/** What the clock does next: reminders before the slot, then the automatic end. */
function nextDue(state: BookingState): Due {
  const { startsAt, endsAt } = state.booking!;
  const policy = state.policy!;
  if (state.status === 'confirmed') {
    for (const [index, beforeMs] of policy.reminderBeforeMs.entries()) {
      const at = Date.parse(startsAt) - beforeMs;
      if (state.reminded.includes(index) || at < Date.parse(state.confirmedAt ?? startsAt)) continue;
      return {
        id: `remind/${index}`,
        at,
        summary: `reminder ${index + 1}`,
        command: { id: `remind/${index}`, do: 'remind', by: SYSTEM, index },
      };
    }
  }
  const at = Date.parse(endsAt) + policy.autoCompleteMs;
  return { id: 'auto-complete', at, summary: 'completes by itself', command: { id: 'auto-complete', do: 'autoComplete', by: SYSTEM } };
}
