// One pure function lists slots and checks bookings. Every listed slot can be booked, and no other slot can.
import { clockOf, dayMs, type Clock } from './local-time.ts';

/** Slots start at multiples of this step, counted from the start of their opening. */
export const slotStepMinutes = 15;
/** Bounds of a slot's length. */
export const slotMinutes = { min: 5, max: 1440 } as const;
const minuteMs = 60_000;
const stepMs = slotStepMinutes * minuteMs;

export interface Interval {
  /** Milliseconds since the epoch, half-open. */
  start: number;
  end: number;
}

/** A time when a seat is occupied: by a hold or a booking, buffers included. */
export interface Busy extends Interval {
  /** Null: every seat is occupied, e.g. by an appointment of the provider's own. */
  seat: number | null;
}

/** A weekly opening. Minutes of a day count from local midnight. */
export interface WeeklyRule {
  /** ISO: 1 Monday … 7 Sunday. */
  weekday: number;
  startMinute: number;
  endMinute: number;
}

/** Closed days, or extra hours on each of the days. Dates are local, e.g. `2026-12-24`; both are included. */
export interface DatedException {
  kind: 'closed' | 'extra';
  fromDate: string;
  toDate: string;
  startMinute: number | null;
  endMinute: number | null;
}

/** Everything that decides whether a provider can take a slot. */
export interface Calendar {
  zone: string;
  rules: WeeklyRule[];
  exceptions: DatedException[];
  minimumNoticeMinutes: number;
  horizonDays: number;
  dailyCap: number | null;
  capacity: number;
  bufferBeforeMinutes: number;
  bufferAfterMinutes: number;
  busy: Busy[];
  /** Starts of the bookings that count for the daily cap, milliseconds since the epoch. */
  booked: number[];
}

export type NotBookable = 'length' | 'in_the_past' | 'too_soon' | 'beyond_horizon' | 'closed' | 'off_grid' | 'daily_cap' | 'busy';

/**
 * Slots of `durationMinutes` that start in `[from, to)`, earliest first.
 * @param now milliseconds since the epoch: notice and horizon count from here
 */
export function listSlots(
  calendar: Calendar,
  { from, to, durationMinutes, now }: { from: number; to: number; durationMinutes: number; now: number },
): Generator<Interval> {
  return availability(calendar, { from, to }, now).slots(durationMinutes);
}

/**
 * Why this slot cannot be booked, or null when it can.
 * @param now milliseconds since the epoch
 * @param agreed the provider has already agreed to the slot, so the minimum notice does not apply
 */
export function whyNot(calendar: Calendar, slot: Interval, now: number, { agreed = false } = {}): NotBookable | null {
  if (!hasLength(slot)) return 'length';
  return availability(calendar, { from: slot.start, to: slot.end }, now).whyNot(slot, agreed);
}

/**
 * The nearest free slots of the same length that start within 24 hours of this slot, earliest first.
 * @param now milliseconds since the epoch
 * @param count most slots to return
 */
export function nearestSlots(calendar: Calendar, { start, end }: Interval, now: number, count = 5): Interval[] {
  const durationMinutes = (end - start) / minuteMs;
  return [...listSlots(calendar, { from: start - dayMs, to: start + dayMs, durationMinutes, now })]
    .sort((a, b) => Math.abs(a.start - start) - Math.abs(b.start - start))
    .slice(0, count)
    .sort((a, b) => a.start - b.start);
}

export interface Availability {
  whyNot(slot: Interval, agreed?: boolean): NotBookable | null;
  slots(durationMinutes: number): Generator<Interval>;
}

/** The function behind `listSlots` and `whyNot`, for slots that start in `[from, to)`. All times are milliseconds since the epoch. */
export function availability(calendar: Calendar, window: { from: number; to: number }, now: number): Availability {
  const earliest = now + calendar.minimumNoticeMinutes * minuteMs;
  const latest = now + calendar.horizonDays * dayMs;
  // Nothing outside these bounds can be booked. Without them, a query for the year 9999 would search until then.
  const to = Math.max(now, Math.min(window.to, latest + 1));
  const from = Math.min(Math.max(now, window.from), to);
  const clock = clockOf(calendar.zone, from, to);
  const openings = openingsOf(calendar, clock, from, to);
  const isFree = freeSeat(calendar);
  const isCapped = dailyCap(calendar, clock);

  /** The remaining checks of a slot that lies in an opening and on its grid. */
  function taken(slot: Interval): 'daily_cap' | 'busy' | null {
    if (isCapped(slot.start)) return 'daily_cap';
    return isFree(occupiedBy(calendar, slot)) ? null : 'busy';
  }

  return {
    whyNot(slot, agreed = false) {
      if (!hasLength(slot)) return 'length';
      if (slot.start < now) return 'in_the_past';
      if (!agreed && slot.start < earliest) return 'too_soon';
      if (slot.start > latest) return 'beyond_horizon';
      const opening = openings.find(({ start, end }) => start <= slot.start && slot.start < end);
      if (!opening || slot.end > opening.joinedEnd) return 'closed';
      return (slot.start - opening.start) % stepMs === 0 ? taken(slot) : 'off_grid';
    },
    *slots(durationMinutes) {
      const first = Math.max(from, earliest);
      const durationMs = durationMinutes * minuteMs;
      if (!hasLength({ start: 0, end: durationMs })) return;
      for (const { start: opens, end, joinedEnd } of openings) {
        const last = Math.min(end - 1, to - 1, joinedEnd - durationMs);
        let start = opens + Math.max(0, Math.ceil((first - opens) / stepMs)) * stepMs;
        for (; start <= last; start += stepMs) {
          const slot = { start, end: start + durationMs };
          if (taken(slot) === null) yield slot;
        }
      }
    },
  };
}

/** Whether the length is a whole number of minutes within `slotMinutes`. */
function hasLength({ start, end }: Interval): boolean {
  const minutes = (end - start) / minuteMs;
  return Number.isInteger(minutes) && minutes >= slotMinutes.min && minutes <= slotMinutes.max;
}

/** The time that a slot takes from the calendar: the slot with its buffers. */
export function occupiedBy(
  { bufferBeforeMinutes, bufferAfterMinutes }: Pick<Calendar, 'bufferBeforeMinutes' | 'bufferAfterMinutes'>,
  slot: Interval,
): Interval {
  return { start: slot.start - bufferBeforeMinutes * minuteMs, end: slot.end + bufferAfterMinutes * minuteMs };
}

/** An opening of one local day. Openings that touch are joined, so that a slot may cross midnight. */
interface Opening extends Interval {
  /** End of the joined openings. */
  joinedEnd: number;
}

/** Openings from the day of `from` to two days after `to`, earliest first. None overlaps another. */
function openingsOf(calendar: Calendar, clock: Clock, from: number, to: number): Opening[] {
  const intervals: Interval[] = [];
  // A slot that begins late on a day of 23 hours may end on the day after the next.
  const lastDay = dayOf(clock.wallAt(to)) + 2;
  const dated = calendar.exceptions.map((exception) => ({
    ...exception,
    first: dayNumber(exception.fromDate),
    last: dayNumber(exception.toDate),
  }));
  for (let day = dayOf(clock.wallAt(from)); day <= lastDay; day += 1) {
    const today = dated.filter(({ first, last }) => first <= day && day <= last);
    for (const { startMinute, endMinute } of openMinutes(calendar, today, weekdayOf(day))) {
      // The wall clock decides both ends: a skipped hour shortens the opening, a repeated hour lengthens it.
      const interval = {
        start: clock.firstShown(day * dayMs + startMinute * minuteMs),
        end: clock.firstShown(day * dayMs + endMinute * minuteMs),
      };
      if (interval.start < interval.end) intervals.push(interval);
    }
  }
  const openings = union(intervals).map((interval): Opening => ({ ...interval, joinedEnd: interval.end }));
  for (let index = openings.length - 2; index >= 0; index -= 1) {
    const [opening, next] = [openings[index]!, openings[index + 1]!];
    if (opening.end === next.start) opening.joinedEnd = next.joinedEnd;
  }
  return openings;
}

type Minutes = Pick<WeeklyRule, 'startMinute' | 'endMinute'>;

/**
 * The open minutes of a day: the weekly hours, unless the day is closed, and the extra hours in any case.
 * @param today the exceptions of that day
 * @param weekday ISO: 1 is Monday
 */
export function openMinutes({ rules }: Pick<Calendar, 'rules'>, today: readonly DatedException[], weekday: number): Minutes[] {
  const extra = today.filter((exception): exception is DatedException & Minutes => exception.kind === 'extra');
  return today.some(({ kind }) => kind === 'closed') ? extra : [...rules.filter((rule) => rule.weekday === weekday), ...extra];
}

/** The number of a local date such as `2026-12-24`, in days since January 1, 1970. */
export const dayNumber = (date: string): number => Date.parse(date) / dayMs;
const dayOf = (wall: number) => Math.floor(wall / dayMs);
/** The ISO weekday of a day number. January 1, 1970 was a Thursday. */
export const weekdayOf = (day: number): number => ((((day + 3) % 7) + 7) % 7) + 1;

/**
 * A test whether one seat is free during a whole interval and fewer than `capacity` bookings run at any moment of it. People do not change
 * seats during a booking. Bookings on seats that the provider has since given up count as well, because they still need the provider.
 */
function freeSeat({ busy, capacity }: Calendar): (interval: Interval) => boolean {
  const overfull = union([...busy.filter(({ seat }) => seat === null), ...fullTimes(busy, capacity)]);
  const seats = Array.from({ length: capacity }, (_, seat) => union(busy.filter((one) => one.seat === seat)));
  return (interval) => !overlapsAny(overfull, interval) && seats.some((taken) => !overlapsAny(taken, interval));
}

/** The times when at least `capacity` bookings run at once. */
function fullTimes(busy: readonly Busy[], capacity: number): Interval[] {
  const edges = busy.flatMap(({ start, end }) => [
    { at: start, by: 1 },
    { at: end, by: -1 },
  ]);
  edges.sort((a, b) => a.at - b.at || a.by - b.by);
  const full: Interval[] = [];
  let count = 0;
  for (const { at, by } of edges) {
    if (by === 1 && (count += 1) === capacity) full.push({ start: at, end: at });
    else if (by === -1 && (count -= 1) === capacity - 1) full.at(-1)!.end = at;
  }
  return full;
}

/** A test whether the provider's daily cap is reached on the local day of an instant. */
function dailyCap({ booked, dailyCap: cap }: Calendar, clock: Clock): (at: number) => boolean {
  if (cap === null) return () => false;
  const counts = new Map<number, number>();
  for (const at of booked) {
    const day = dayOf(clock.wallAt(at));
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  return (at) => (counts.get(dayOf(clock.wallAt(at))) ?? 0) >= cap;
}

/** Sorts intervals and joins those that overlap. Intervals that only touch stay apart. */
function union(intervals: readonly Interval[]): Interval[] {
  const apart: Interval[] = [];
  for (const { start, end } of intervals.toSorted((a, b) => a.start - b.start)) {
    const last = apart.at(-1);
    if (last && start < last.end) last.end = Math.max(last.end, end);
    else apart.push({ start, end });
  }
  return apart;
}

/** Whether one of `sorted` overlaps the interval. The sorted intervals do not overlap each other. */
function overlapsAny(sorted: readonly Interval[], { start, end }: Interval): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]!.end > start) high = middle;
    else low = middle + 1;
  }
  return low < sorted.length && sorted[low]!.start < end;
}
