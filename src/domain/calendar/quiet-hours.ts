// When people are reminded: never in the slot's local night. Zones need data that may differ between machines, so this runs in an
// activity and its result stands on the timeline.
import { Temporal } from 'temporal-polyfill';
import type { Policy } from '../policy.ts';

/**
 * When each reminder of a slot is due, RFC 3339 UTC, in the order of the policy. One that would fall into quiet hours is sent
 * at their beginning: earlier rather than too late.
 * @param startsAt instant, RFC 3339
 * @param zone IANA zone that the quiet hours are meant in
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
    // Quiet hours that begin while the clocks are put forward begin before that: never after the reminder was due.
    return from.toZonedDateTime(zone, { disambiguation: 'earlier' }).toInstant().toString();
  });
}
