import { reminderTimes } from '../domain/calendar/quiet-hours.ts';
import type { Policy } from '../domain/policy.ts';

export type ReminderActivities = typeof reminderActivities;

export const reminderActivities = {
  /** When the reminders of a slot are due, outside the quiet hours of its zone. Pure, but zone data is not a workflow's business. */
  async planReminders(
    slot: { startsAt: string; zone: string },
    policy: Pick<Policy, 'reminderBeforeMs' | 'quietHours'>,
  ): Promise<string[]> {
    return reminderTimes(slot, policy);
  },
};
