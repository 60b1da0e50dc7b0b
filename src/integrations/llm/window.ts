import { Temporal } from 'temporal-polyfill';
import type { TimeWindow } from '../../domain/intake/catalogue.ts';

const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Writes a window in its own zone: `Fri, Nov 27, 2–4 pm`. Names are fixed here, because locale data differs between hosts. */
export function formatWindow({ from, to, zone }: TimeWindow, now: string): string {
  const [start, end, today] = [from, to, now].map((at) => Temporal.Instant.from(at).toZonedDateTimeISO(zone)) as [
    Temporal.ZonedDateTime,
    Temporal.ZonedDateTime,
    Temporal.ZonedDateTime,
  ];
  const wholeDays = isMidnight(start) && isMidnight(end);
  const last = isMidnight(end) ? end.subtract({ minutes: 1 }) : end;
  const sameDay = start.toPlainDate().equals(last.toPlainDate());
  if (wholeDays) return sameDay ? `${dayOf(start, today)}, any time` : `${dayOf(start, today)} – ${dayOf(last, today)}`;
  if (!sameDay)
    return `${dayOf(start, today)}${isMidnight(start) ? '' : `, ${timeOf(start)}`} – ${dayOf(last, today)}${isMidnight(end) ? '' : `, ${timeOf(end)}`}`;
  const minutes = start.until(end).total('minutes');
  if (minutes <= 30) return `${dayOf(start, today)}, ${timeOf(start)}`;
  const sameHalf = half(start) === half(end) && !isMidnight(end);
  return `${dayOf(start, today)}, ${sameHalf ? clockOf(start) : timeOf(start)}–${isMidnight(end) ? 'midnight' : timeOf(end)}`;
}

/**
 * The same local times in another zone (IANA). Somebody who says `tomorrow at 3` first and the place later means 3 o'clock in
 * that place.
 */
export function moveToZone(window: TimeWindow, zone: string): TimeWindow {
  const moved = (at: string) =>
    Temporal.Instant.from(at)
      .toZonedDateTimeISO(window.zone)
      .toPlainDateTime()
      .toZonedDateTime(zone, { disambiguation: 'compatible' })
      .toInstant()
      .toString();
  return { from: moved(window.from), to: moved(window.to), zone };
}

const isMidnight = (at: Temporal.ZonedDateTime) => at.hour === 0 && at.minute === 0;
const half = (at: Temporal.ZonedDateTime) => (at.hour < 12 ? 'am' : 'pm');
const clockOf = (at: Temporal.ZonedDateTime) => `${at.hour % 12 || 12}${at.minute ? `:${String(at.minute).padStart(2, '0')}` : ''}`;
const timeOf = (at: Temporal.ZonedDateTime) => `${clockOf(at)} ${half(at)}`;

function dayOf(at: Temporal.ZonedDateTime, today: Temporal.ZonedDateTime): string {
  const date = `${dayNames[at.dayOfWeek - 1]}, ${monthNames[at.month - 1]} ${at.day}`;
  return at.year === today.year ? date : `${date}, ${at.year}`;
}
