// Calendar truth: one pure function lists slots and checks bookings. Every listed slot can be booked; no other can.
import { Temporal } from 'temporal-polyfill';

/** Slots start at these steps from the opening they lie in. */
export const slotStepMinutes = 15;
const minuteMs = 60_000;

export interface Interval {
  /** Milliseconds since the epoch, half-open. */
  start: number;
  end: number;
}

/** Everything that decides whether a provider can take a slot. Minutes of a day count from local midnight in `zone`. */
export interface Calendar {
  zone: string;
  rules: { weekday: number; startMinute: number; endMinute: number }[];
  exceptions: { kind: 'closed' | 'extra'; fromDate: string; toDate: string; startMinute: number | null; endMinute: number | null }[];
  minimumNoticeMinutes: number;
  horizonDays: number;
  dailyCap: number | null;
  capacity: number;
  bufferBeforeMinutes: number;
  bufferAfterMinutes: number;
  /** What occupies seats already: holds and bookings with their buffers. */
  busy: Interval[];
}

export type NotBookable = 'in_the_past' | 'too_soon' | 'beyond_horizon' | 'closed' | 'off_grid' | 'daily_cap' | 'busy';

/** One opening of one local day; consecutive openings join, so a slot may cross midnight. */
interface Opening extends Interval {
  /** End of the joined openings. */
  joinedEnd: number;
}

/**
 * Slots of `durationMinutes` that start in `[from, to)`, earliest first.
 * @param now milliseconds since the epoch: notice and horizon count from here
 */
export function* listSlots(
  calendar: Calendar,
  { from, to, durationMinutes, now }: { from: number; to: number; durationMinutes: number; now: number },
): Generator<Interval> {
  const openings = openingsOf(calendar, from, to);
  let last = -Infinity; // openings may overlap; a slot is listed once
  for (const opening of openings) {
    const firstStep = Math.max(0, Math.ceil((from - opening.start) / (slotStepMinutes * minuteMs)));
    for (
      let start = opening.start + firstStep * slotStepMinutes * minuteMs;
      start < Math.min(opening.end, to);
      start += slotStepMinutes * minuteMs
    ) {
      const slot = { start, end: start + durationMinutes * minuteMs };
      if (start <= last || whyNotIn(calendar, slot, now, openings) !== null) continue;
      last = start;
      yield slot;
    }
  }
}

/**
 * Why this slot cannot be booked, or null when it can.
 * @param minimumNotice false for a slot its provider has already agreed to: only the past is refused then
 */
export function whyNot(calendar: Calendar, slot: Interval, now: number, minimumNotice = true): NotBookable | null {
  return whyNotIn(calendar, slot, now, openingsOf(calendar, slot.start, slot.end), minimumNotice);
}

function whyNotIn(calendar: Calendar, slot: Interval, now: number, openings: Opening[], minimumNotice = true): NotBookable | null {
  if (slot.start < now) return 'in_the_past';
  if (minimumNotice && slot.start < now + calendar.minimumNoticeMinutes * minuteMs) return 'too_soon';
  if (slot.start > now + calendar.horizonDays * 1440 * minuteMs) return 'beyond_horizon';
  const opening = openings.find(({ start, end, joinedEnd }) => start <= slot.start && slot.start < end && slot.end <= joinedEnd);
  if (!opening) return 'closed';
  if ((slot.start - opening.start) % (slotStepMinutes * minuteMs) !== 0) return 'off_grid';
  if (calendar.dailyCap !== null && bookedOn(calendar, slot.start) >= calendar.dailyCap) return 'daily_cap';
  return peakOverlap(calendar.busy, occupiedBy(calendar, slot)) >= calendar.capacity ? 'busy' : null;
}

/** The slot with its buffers: what it takes from the calendar. */
export function occupiedBy(
  { bufferBeforeMinutes, bufferAfterMinutes }: Pick<Calendar, 'bufferBeforeMinutes' | 'bufferAfterMinutes'>,
  slot: Interval,
): Interval {
  return { start: slot.start - bufferBeforeMinutes * minuteMs, end: slot.end + bufferAfterMinutes * minuteMs };
}

/** Openings that touch `[from, to)`, by local day in the calendar's zone. */
function openingsOf(calendar: Calendar, from: number, to: number): Opening[] {
  const { zone } = calendar;
  const firstDay = localDate(from, zone).subtract({ days: 1 });
  const lastDay = localDate(to, zone).add({ days: 2 });
  const intervals: Interval[] = [];
  for (let day = firstDay; Temporal.PlainDate.compare(day, lastDay) <= 0; day = day.add({ days: 1 })) {
    for (const { startMinute, endMinute } of openMinutes(calendar, day)) {
      const interval = { start: instantOf(day, startMinute, zone), end: instantOf(day, endMinute, zone) };
      if (interval.start < interval.end) intervals.push(interval);
    }
  }
  intervals.sort((a, b) => a.start - b.start);
  const openings: Opening[] = [];
  for (const interval of intervals.reverse()) {
    const next = openings.at(-1);
    openings.push({ ...interval, joinedEnd: next && next.start <= interval.end ? Math.max(next.joinedEnd, interval.end) : interval.end });
  }
  return openings.reverse();
}

function openMinutes({ rules, exceptions }: Calendar, day: Temporal.PlainDate): { startMinute: number; endMinute: number }[] {
  const date = day.toString();
  const today = exceptions.filter(({ fromDate, toDate }) => fromDate <= date && date <= toDate);
  const extra = today.flatMap(({ kind, startMinute, endMinute }) =>
    kind === 'extra' && startMinute !== null && endMinute !== null ? [{ startMinute, endMinute }] : [],
  );
  return today.some(({ kind }) => kind === 'closed') ? extra : [...rules.filter(({ weekday }) => weekday === day.dayOfWeek), ...extra];
}

/** A gap in local time moves the instant forward, an overlap takes the earlier one: an opening never starts twice. */
function instantOf(day: Temporal.PlainDate, minute: number, zone: string): number {
  const local = day
    .add({ days: Math.floor(minute / 1440) })
    .toPlainDateTime({ hour: Math.floor((minute % 1440) / 60), minute: minute % 60 });
  return local.toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds;
}

const localDate = (at: number, zone: string) => Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate();

function bookedOn({ busy, zone, bufferBeforeMinutes }: Calendar, at: number): number {
  const date = localDate(at, zone).toString();
  return busy.filter(({ start }) => localDate(start + bufferBeforeMinutes * minuteMs, zone).toString() === date).length;
}

/** The most intervals of `busy` that cover one instant of `interval`. */
function peakOverlap(busy: Interval[], interval: Interval): number {
  const overlapping = busy.filter(({ start, end }) => start < interval.end && interval.start < end);
  const edges = overlapping.map(({ start }) => Math.max(start, interval.start));
  return Math.max(0, ...edges.map((edge) => overlapping.filter(({ start, end }) => start <= edge && edge < end).length));
}
