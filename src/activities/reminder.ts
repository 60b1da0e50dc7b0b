import { reminderTimes } from '../domain/calendar/quiet-hours.ts';
import type { Policy } from '../domain/policy.ts';

export type ReminderActivities = typeof reminderActivities;

export const reminderActivities = {
  /**
   * When the reminders of a slot are due (RFC 3339 UTC), outside the quiet hours of its zone. An activity, because zone data may differ
   * between machines.
   */
  async planReminders(
    slot: { startsAt: string; zone: string },
    policy: Pick<Policy, 'reminderBeforeMs' | 'quietHours'>,
  ): Promise<string[]> {
    return reminderTimes(slot, policy);
  },
};
