// The next step of the clock in a running booking.
import { SYSTEM } from '../../domain/actor.ts';
import { reauthoriseAt, unpaidAt } from '../../domain/booking/money.ts';
import type { BookingCommand, BookingState } from '../../domain/booking/types.ts';

export interface Due {
  id: string;
  /** Milliseconds since the epoch. */
  at: number;
  summary: string;
  command: BookingCommand;
}

/** The earliest step that is due. The last of all steps is that the booking completes by itself. */
export function nextDue(state: BookingState): Due {
  const { endsAt } = state.booking!;
  const policy = state.policy!;
  const dues: Due[] = [
    {
      id: 'auto-complete',
      at: Date.parse(endsAt) + policy.autoCompleteMs,
      summary: 'completes by itself',
      command: { id: 'auto-complete', do: 'autoComplete', by: SYSTEM },
    },
  ];
  if (state.status !== 'confirmed') return dues[0]!;
  const reminder = nextReminder(state);
  if (reminder) dues.push(reminder);
  if (state.reschedule) {
    const at = Date.parse(state.reschedule.expiresAt);
    const id = `reschedule/${state.reschedulesBy.consumer}/${state.reschedulesBy.provider}/expired`;
    dues.push({ id, at, summary: 'the proposed slot lapses', command: { id, do: 'dropReschedule', by: SYSTEM, code: 'expired' } });
  }
  const renewal = reauthoriseAt(state);
  if (renewal !== null) {
    const id = `pay/${state.payments.length + 1}`;
    dues.push({ id, at: renewal, summary: 'a new authorisation', command: { id, do: 'requestPayment', by: SYSTEM } });
  }
  const unpaid = unpaidAt(state);
  if (unpaid !== null) {
    const id = `unpaid/${state.payments.length}`;
    dues.push({ id, at: unpaid, summary: 'not paid for: cancelled', command: { id, do: 'cancelUnpaid', by: SYSTEM } });
  }
  return dues.reduce((first, due) => (due.at < first.at ? due : first));
}

/** The next reminder. Its time was planned outside quiet hours; on timelines of the first release it counts back from the slot's start. */
function nextReminder(state: BookingState): Due | undefined {
  const { startsAt } = state.booking!;
  const times =
    state.remindAt?.map((at) => Date.parse(at)) ?? state.policy!.reminderBeforeMs.map((beforeMs) => Date.parse(startsAt) - beforeMs);
  const moved = state.reschedulesBy.consumer + state.reschedulesBy.provider;
  for (const [index, at] of times.entries()) {
    if (state.reminded.includes(index) || at < Date.parse(state.plannedAt ?? startsAt)) continue;
    // A new slot has its own reminders, so their command ids must differ.
    const id = moved ? `remind/${moved}/${index}` : `remind/${index}`;
    return { id, at, summary: `reminder ${index + 1}`, command: { id, do: 'remind', by: SYSTEM, index } };
  }
  return undefined;
}
