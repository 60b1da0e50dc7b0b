// The run of one booking, from the hold to its end. The first event of its timeline was written together with the agreement.
import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { ReminderActivities } from '../activities/reminder.ts';
import { type BookingInput, bookingUpdates, bookingWorkflowId, paymentEvent, tellRequest } from '../contracts/booking.messages.ts';
import { bookingEnded, requestWorkflowId } from '../contracts/request.messages.ts';
import { reviewWorkflowId } from '../contracts/review.messages.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import { SYSTEM } from '../domain/actor.ts';
import { decideBooking } from '../domain/booking/decide.ts';
import { currentAuthorisation, isUncovered, nextMoneyStep } from '../domain/booking/money.ts';
import { isOver, movesMoney } from '../domain/booking/state.ts';
import { emptyBooking, evolveBooking } from '../domain/booking/evolve.ts';
import type { BookingCommand, BookingState } from '../domain/booking/types.ts';
import { actor } from './actor.ts';
import { alarm } from './alarm.ts';
import { nextDue } from './booking.clock.ts';
import { describeBooking } from './details.ts';
import { moneyOf } from './payment.ts';
import { receive } from './receive.ts';
import { reviewWorkflow } from './review.ts';
import type { CommandAnswer } from '../domain/command.ts';
import type { BookingOutcome, Slot } from '../domain/terms.ts';
import { bookingVerbs } from '../domain/booking/machine.ts';
import { startOnce } from './child.ts';
import { answerPosition } from './position.ts';

const { planReminders } = proxyLocalActivities<ReminderActivities>({ startToCloseTimeout: '5s' });

export async function bookingWorkflow({ bookingId }: BookingInput): Promise<{ status: BookingState['status']; outcome: BookingOutcome }> {
  const booking = actor({
    stream: bookingWorkflowId(bookingId),
    initial: emptyBooking,
    decide: decideBooking,
    evolve: evolveBooking,
    onFold: (state) => setCurrentDetails(describeBooking(state)),
  });
  const timer = alarm();
  const money = moneyOf(booking);
  // Both commands are queued before any handler is set: nobody can act on a booking before its confirmation.
  const known = booking.learn();
  const confirmed = booking.act(confirmation);

  // The result of a child run tells the request the booking's end. Without a parent, or with a rebuilt one, only a Signal tells it.
  let mustSignal = !workflowInfo().parent;
  answerPosition(booking);
  setHandler(tellRequest, () => void (mustSignal = true), { description: 'the request was rebuilt and cannot see our result' });
  setHandler(paymentEvent, (fact) => booking.commitFact(heard(fact)), { description: 'what the payment provider tells by webhook' });
  receive(booking, bookingVerbs, bookingUpdates, { answerReschedule: swappingSlot });

  await known;
  const overBefore = isOver(booking.state);
  if (booking.state.stuck) money.callOperator();
  try {
    await confirmed;
    await payForHold();
    do {
      await liveOn();
      await end();
      await condition(allHandlersFinished);
      // A dispute may reopen the booking: it can come with the start of this run.
    } while (!isOver(booking.state));
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(leaveNothingHalfDone);
    throw error;
  }
  return { status: booking.state.status, outcome: booking.state.outcome! };

  /** Makes the confirming command. Reminders are planned in the same turn; runs of the first release count them back from the slot. */
  async function confirmation(): Promise<BookingCommand> {
    const { booking: terms, status } = booking.state;
    const paid = !movesMoney(booking.state) || currentAuthorisation(booking.state) !== undefined;
    const planned = terms && status === 'held' && paid && !booking.state.firstRelease;
    const remindAt = planned ? await plan(terms) : undefined;
    return { id: paid ? 'confirm' : 'confirm/unpaid', do: 'confirm', by: SYSTEM, ...(remindAt && { remindAt }) };
  }

  function plan({ startsAt, zone }: Slot): Promise<string[]> {
    const { reminderBeforeMs, quietHours } = booking.state.policy!;
    return planReminders.executeWithOptions({ summary: 'outside quiet hours' }, [
      { startsAt, zone },
      { reminderBeforeMs, quietHours },
    ]);
  }

  /** hold → authorise → confirm → tell both. Each step's compensation stands on the timeline before the step is taken. */
  async function payForHold(): Promise<void> {
    while (booking.state.status === 'held') {
      const { state } = booking;
      const heldUntil = () => Date.parse(booking.state.booking!.heldUntil);
      const step = nextMoneyStep(state);
      if (heldUntil() <= Date.now()) await giveBack('hold_expired');
      else if (step) {
        if ((await money.take(step)) === 'unavailable') await giveBack('payment_unavailable');
      } else if (currentAuthorisation(state)) await booking.act(confirmation);
      else if (state.payments.length === 0) await booking.act({ id: 'pay/1', do: 'requestPayment', by: SYSTEM });
      else {
        const moved = () => booking.state.status !== 'held' || nextMoneyStep(booking.state) !== null;
        await timer.until(moved, heldUntil, 'the hold runs out');
      }
    }
  }

  async function giveBack(code: string): Promise<void> {
    await money.undo();
    await booking.act({ id: `release/${booking.seq}`, do: 'release', by: SYSTEM, code });
  }

  /** Serves the booking until it is over: reminders, new authorisations, the automatic end. A dispute waits for its ruling. */
  async function liveOn(): Promise<void> {
    const over = () => isOver(booking.state);
    while (!over()) {
      if (booking.state.status === 'disputed') {
        await untilRuledOn();
        continue;
      }
      const step = nextMoneyStep(booking.state);
      if (step) {
        await money.take(step);
        continue;
      }
      const { id } = nextDue(booking.state);
      const changed = () => over() || nextDue(booking.state).id !== id || nextMoneyStep(booking.state) !== null;
      const { summary } = nextDue(booking.state);
      if (!(await timer.until(changed, () => nextDue(booking.state).at, summary))) await booking.act(nextDue(booking.state).command);
    }
  }

  /** Marks the run for attention and waits for the operator's ruling. */
  async function untilRuledOn(): Promise<void> {
    upsertSearchAttributes([
      { key: searchAttributes.stage, value: 'disputed' },
      { key: searchAttributes.needsAttention, value: true },
    ]);
    await condition(() => booking.state.status !== 'disputed');
    upsertSearchAttributes([{ key: searchAttributes.needsAttention, value: false }]);
  }

  async function end(): Promise<void> {
    timer.disarm();
    upsertSearchAttributes([{ key: searchAttributes.stage, value: booking.state.status }]);
    if (!overBefore) {
      const { seriesId } = booking.state.booking!;
      const signals = mustSignal && !seriesId;
      await Promise.all([...(signals ? [signalEnd()] : []), ...(booking.state.status === 'completed' ? [askForReviews()] : [])]);
    }
    await settle();
  }

  /** Captures the charge, releases the rest and refunds what a ruling gives back, until the payments are closed. */
  async function settle(): Promise<void> {
    while (isOver(booking.state) && booking.state.settling) {
      const { state } = booking;
      const step = nextMoneyStep(state);
      if (state.stuck) {
        // The request does not depend on the operator, so it is told the end before the wait.
        if (!overBefore && !mustSignal && !state.booking!.seriesId) await signalEnd();
        mustSignal = true;
        await money.unstuck();
      } else if (step) {
        if ((await money.take(step)) === 'unavailable') await money.report(step.step, 'unavailable');
      } else if (!isUncovered(state)) await booking.act({ id: `settled/${booking.seq}`, do: 'closeMoney', by: SYSTEM });
      else if (state.payments.at(-1)!.status === 'declined') await money.report('charge', 'payment_declined');
      else await booking.act({ id: `pay/${state.payments.length + 1}`, do: 'requestPayment', by: SYSTEM });
    }
  }

  /**
   * For a run that is cancelled itself: gives up the hold, or settles the payments. The reconciler starts the run again while the booking
   * is open.
   */
  async function leaveNothingHalfDone(): Promise<void> {
    if (booking.state.status === 'held') await giveBack('run_cancelled');
    if (isOver(booking.state)) await settle();
  }

  /** Answers a proposed slot. If the new slot is gone, the proposal is dropped and the old slot stays. */
  async function swappingSlot(command: Extract<BookingCommand, { do: 'answerReschedule' }>): Promise<CommandAnswer> {
    const planned = async () => {
      const { reschedule } = booking.state;
      return command.accept && reschedule ? { ...command, remindAt: await plan(reschedule) } : command;
    };
    try {
      return await booking.commit(planned);
    } catch (error) {
      if (error instanceof ApplicationFailure && (error.type === 'slot_taken' || error.type === 'outside_slot_rules')) {
        await booking.commit({ id: `${command.id}/lost`, do: 'dropReschedule', by: SYSTEM, code: error.type });
      }
      throw error;
    }
  }

  /** Starts the reviews' own run; the completion has opened them. A run that exists already was started by a repair. */
  async function askForReviews(): Promise<void> {
    const { consumerId, providerId, service } = booking.state.booking!;
    await startOnce(reviewWorkflow, {
      workflowId: reviewWorkflowId(bookingId),
      bookingId,
      staticSummary: `Reviews of ${service}`,
      stage: 'open',
      consumerId,
      providerId,
      service,
    });
  }

  /** Tells the request the booking's end. If the request's run is gone, the reconciler starts it and tells it. */
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

/**
 * Makes a command from a Signal of the payment provider. Only a lost authorisation changes anything: all other kinds confirm known results.
 */
function heard(fact: Partial<{ eventId: string; kind: string; attempt: number }> | undefined): BookingCommand {
  const { eventId, kind, attempt } = fact ?? {};
  const id = `payment-event/${String(eventId).slice(0, 100)}`;
  return { id, do: 'recordRelease', by: SYSTEM, attempt: kind === 'cancelled' ? Number(attempt) : 0, code: 'cancelled_outside' };
}
