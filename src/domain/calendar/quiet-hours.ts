// When people are reminded: never in the local night of the slot. Zone data may differ between machines, so this code runs in an activity
// and its result stands on the timeline.
import { Temporal } from 'temporal-polyfill';
import type { Policy } from '../policy.ts';

/**
 * When each reminder of a slot is due, RFC 3339 UTC, in the order of the policy. A reminder that would fall into quiet hours is sent at
 * their beginning, because too early is better than too late.
 * @param startsAt instant, RFC 3339
 * @param zone IANA zone of the quiet hours
 */
export function reminderTimes(
  { startsAt, zone }: { startsAt: string; zone: string },
  { reminderBeforeMs, quietHours }: Pick<Policy, 'reminderBeforeMs' | 'quietHours'>,
): string[] {
  return reminderBeforeMs.map((beforeMs) => {
    const due = Temporal.Instant.from(startsAt)
      .subtract({ milliseconds: Math.round(beforeMs) })
      .toZonedDateTimeISO(zone);
    const { fromMinute, toMinute } = quietHours;
    const minute = due.hour * 60 + due.minute;
    const overnight = fromMinute > toMinute;
    const isQuiet = overnight ? minute >= fromMinute || minute < toMinute : minute >= fromMinute && minute < toMinute;
    if (!isQuiet) return due.toInstant().toString();
    const day = minute < fromMinute ? due.toPlainDate().subtract({ days: 1 }) : due.toPlainDate();
    const from = day.toPlainDateTime({ hour: Math.floor(fromMinute / 60), minute: fromMinute % 60 });
    // Where the clocks skip the beginning of the quiet hours, take the earlier instant: a reminder must not come after it was due.
    return from.toZonedDateTime(zone, { disambiguation: 'earlier' }).toInstant().toString();
  });
}
