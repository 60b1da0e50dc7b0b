// The life of one booking, from the hold until its books are closed. Every wait is on the folded state, so a life can begin again from any
// timeline.
import { ApplicationFailure, CancellationScope, isCancellation, proxyLocalActivities } from '@temporalio/workflow';
import type { ReminderActivities } from '../../activities/reminder.ts';
import { SYSTEM } from '../../domain/actor.ts';
import { currentAuthorisation, isUncovered, nextMoneyStep } from '../../domain/booking/money.ts';
import { isOver, movesMoney } from '../../domain/booking/state.ts';
import type { BookingCommand, BookingState } from '../../domain/booking/types.ts';
import type { CommandAnswer } from '../../domain/command.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Slot } from '../../domain/terms.ts';
import type { Actor } from '../actor.ts';
import type { Alarm } from '../alarm.ts';
import { nextDue } from './booking.clock.ts';
import { moneyOf } from './payment.ts';

const { planReminders } = proxyLocalActivities<ReminderActivities>({ startToCloseTimeout: '5s' });

type Booking = Actor<BookingState, BookingCommand>;

/** Instants of a slot's reminders, RFC 3339. */
export const plan = ({ startsAt, zone }: Slot, { reminderBeforeMs, quietHours }: Policy): Promise<string[]> =>
  planReminders.executeWithOptions({ summary: 'outside quiet hours' }, [
    { startsAt, zone },
    { reminderBeforeMs, quietHours },
  ]);

export async function liveBooking(booking: Booking, clock: Alarm): Promise<void> {
  const money = moneyOf(booking);
  const closed = () => isOver(booking.state) && !booking.state.settling;
  try {
    for (;;) {
      await payForHold();
      if (!isOver(booking.state)) {
        await liveOn();
        clock.disarm();
      }
      await settle();
      // A dispute reopens a booking that is over.
      await clock.rest(() => !closed());
    }
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(leaveNothingHalfDone);
    throw error;
  }

  /** Makes the confirming command. Reminders are planned in the same turn; bookings of the first release count them back from the slot. */
  async function confirmation(): Promise<BookingCommand> {
    const { booking: terms, status, policy, firstRelease } = booking.state;
    const paid = !movesMoney(booking.state) || currentAuthorisation(booking.state) !== undefined;
    const remindAt = terms && status === 'held' && paid && !firstRelease ? await plan(terms, policy!) : undefined;
    return { id: paid ? 'confirm' : 'confirm/unpaid', do: 'confirm', by: SYSTEM, ...(remindAt && { remindAt }) };
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
      } else if (!movesMoney(state) || currentAuthorisation(state)) await booking.act(confirmation);
      else if (state.payments.length === 0) await booking.act({ id: 'pay/1', do: 'requestPayment', by: SYSTEM });
      else {
        const moved = () => booking.state.status !== 'held' || nextMoneyStep(booking.state) !== null;
        await clock.until(moved, heldUntil, 'the hold runs out');
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
        await clock.rest(() => booking.state.status !== 'disputed');
        continue;
      }
      const step = nextMoneyStep(booking.state);
      if (step) {
        await money.take(step);
        continue;
      }
      const { id, summary } = nextDue(booking.state);
      const changed = () => over() || nextDue(booking.state).id !== id || nextMoneyStep(booking.state) !== null;
      if (!(await clock.until(changed, () => nextDue(booking.state).at, summary))) await booking.act(nextDue(booking.state).command);
    }
  }

  /** Captures the charge, releases the rest and refunds what a ruling gives back, until the payments are closed. */
  async function settle(): Promise<void> {
    while (isOver(booking.state) && booking.state.settling) {
      const { state } = booking;
      const step = nextMoneyStep(state);
      if (state.stuck) await money.unstuck();
      else if (step) {
        if ((await money.take(step)) === 'unavailable') await money.report(step.step, 'unavailable');
      } else if (!isUncovered(state)) await booking.act({ id: `settled/${booking.seq}`, do: 'closeMoney', by: SYSTEM });
      else if (state.payments.at(-1)!.status === 'declined') await money.report('charge', 'payment_declined');
      else await booking.act({ id: `pay/${state.payments.length + 1}`, do: 'requestPayment', by: SYSTEM });
    }
  }

  /**
   * For a run that is cancelled itself: gives up the hold, or settles the payments. The reconciler starts the run again while something is
   * open.
   */
  async function leaveNothingHalfDone(): Promise<void> {
    if (booking.state.status === 'held') await giveBack('run_cancelled');
    if (isOver(booking.state)) await settle();
  }
}

/** Answers a proposed slot. If the new slot is gone, the proposal is dropped and the old slot stays. */
export async function swappingSlot(booking: Booking, command: Extract<BookingCommand, { do: 'answerReschedule' }>): Promise<CommandAnswer> {
  const planned = async () => {
    const { reschedule, policy } = booking.state;
    return command.accept && reschedule ? { ...command, remindAt: await plan(reschedule, policy!) } : command;
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

/**
 * Makes a command from a Signal of the payment provider. Only a lost authorisation changes anything: all other kinds confirm known results.
 */
export function heard(fact: Partial<{ eventId: string; kind: string; attempt: number }> | undefined): BookingCommand {
  const { eventId, kind, attempt } = fact ?? {};
  const id = `payment-event/${String(eventId).slice(0, 100)}`;
  return { id, do: 'recordRelease', by: SYSTEM, attempt: kind === 'cancelled' ? Number(attempt) : 0, code: 'cancelled_outside' };
}
