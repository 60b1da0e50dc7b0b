import type { CommandMeta } from '../command.ts';
import { ofFirstRelease, type Policy } from '../policy.ts';
import type { Slot } from '../terms.ts';
import { iso } from '../time.ts';
import { recorded } from '../timeline.ts';
import { decideBooking } from './decide.ts';
import { emptyBooking, evolveBooking } from './evolve.ts';
import { movesMoney } from './state.ts';
import type { BookingHeld, BookingOpening, BookingState } from './types.ts';

type ReminderPolicy = Pick<Policy, 'reminderBeforeMs' | 'quietHours'>;

/** Reminders that were planned for a slot, in the API or by an activity: zone data may differ between machines, so no workflow plans them. */
export interface PlannedReminders extends ReminderPolicy {
  /** The slot that they were planned for. */
  startsAt: string;
  zone: string;
  /** Instants, RFC 3339. */
  at: string[];
}

/** Reminders together with what they were planned for. @param at instants, RFC 3339 */
export const planned = (
  { startsAt, zone }: Pick<Slot, 'startsAt' | 'zone'>,
  { reminderBeforeMs, quietHours }: ReminderPolicy,
  at: string[],
): PlannedReminders => ({
  startsAt,
  zone,
  reminderBeforeMs,
  quietHours,
  at,
});

/** Whether reminders were planned for exactly this slot and policy. */
const fit = (reminders: PlannedReminders | undefined, held: BookingHeld): reminders is PlannedReminders =>
  reminders !== undefined && JSON.stringify(planned(reminders, reminders, [])) === JSON.stringify(planned(held, held.policy, []));

/**
 * The events that open a booking, for the transaction of the agreement. A booking for which nothing has to be paid is confirmed at once, when
 * the reminders of its slot are planned.
 * @param now milliseconds since the epoch
 */
export function openBooking(
  held: BookingHeld & { audience: string[] },
  { id, by, reminders }: CommandMeta & { reminders?: PlannedReminders },
  now: number,
): BookingOpening[] {
  const remindAt = fit(reminders, held) ? reminders.at : undefined;
  const state = opened(held, id, by, now);
  const confirms = !movesMoney(state) && (remindAt !== undefined || !wantsReminders(held));
  const then = confirms ? decideBooking(state, { id, do: 'confirm', by, ...(remindAt && { remindAt }) }, now) : [];
  const stream = `booking/${held.bookingId}`;
  return [held, ...then.filter((event) => event.type === 'booking.confirmed')].map((event) => ({ ...event, stream }));
}

/** Whether other reminders have to be planned before this booking can be confirmed together with its agreement. */
export const needsReminders = (held: BookingHeld, reminders: PlannedReminders | undefined, now: number): boolean =>
  wantsReminders(held) && !fit(reminders, held) && !movesMoney(opened(held, 'open', { id: held.consumerId, role: 'consumer' }, now));

/** Reminders of the first release were counted back from the slot and not planned. */
const wantsReminders = ({ policy }: BookingHeld): boolean => policy.reminderBeforeMs.length > 0 && !ofFirstRelease(policy);

const opened = (held: BookingHeld, commandId: string, by: CommandMeta['by'], now: number): BookingState =>
  recorded([held], 0, { commandId, at: iso(now), by }).reduce(evolveBooking, emptyBooking);
