// Busy times of an iCalendar text (RFC 5545). Pure, but a hostile text can make it run without end: see reader.ts.
import ICAL from 'ical.js';
import type { Interval } from '../../domain/calendar/availability.ts';
import { clockOf, dateOf, floating, timesOf, wallMs, type Clock } from './clock.ts';
import { busyLines, Unreadable } from './lines.ts';
import { feedUidSuffix } from '../../domain/calendar/import.ts';

export interface BusyOptions {
  /** The zone whose midnight an all-day event uses, and whose clock a time without a zone uses. */
  zone: string;
  /** Start of the window, epoch milliseconds; `to` is its end. Times outside are ignored, times that cross an edge are cut. */
  from: number;
  to: number;
}

/** The calendar is larger than any person's calendar. */
export class TooComplex extends Error {}

const maxInstances = 1_000_000;
const maxBlocks = 10_000;
const dayMs = 86_400_000;

/**
 * Busy times in order, overlapping ones joined. These are not busy: cancelled events, events that are marked as free, and our
 * own bookings that come back in an external calendar.
 * @throws Unreadable, TooComplex
 */
export function busyTimes(text: string, options: BusyOptions): Interval[] {
  const lines = busyLines(text);
  const found: Interval[] = [];
  const budget = { instances: maxInstances };
  for (const calendar of parsed(lines)) {
    const byUid = Map.groupBy(calendar.getAllSubcomponents('vevent'), (event) => String(event.getFirstPropertyValue('uid') ?? ''));
    for (const [uid, events] of byUid) {
      if (uid.endsWith(feedUidSuffix)) continue;
      const changes = events.filter((event) => event.hasProperty('recurrence-id')).map((event) => changeOf(event, options));
      for (const event of events) {
        for (const { start, end } of busyOf(event, event.hasProperty('recurrence-id') ? [] : changes, options, budget)) {
          if (start < end && start < options.to && end > options.from)
            found.push({ start: Math.max(start, options.from), end: Math.min(end, options.to) });
        }
      }
    }
  }
  return joined(found);
}

/** The calendars of a text, which may contain several. */
function parsed(lines: string[]): ICAL.Component[] {
  const tree = ICAL.parse(lines.join('\r\n')) as unknown[];
  // ical.js returns one calendar as itself and several as a list.
  return (typeof tree[0] === 'string' ? [tree] : (tree as unknown[][])).map((one) => new ICAL.Component(one as never));
}

/** A change (RECURRENCE-ID) of one occurrence, or of an occurrence and all later ones. */
interface Change {
  /** Original start of the occurrence, epoch milliseconds. */
  at: number;
  andAllLater: boolean;
  busy: boolean;
  event: ICAL.Component;
}

function changeOf(event: ICAL.Component, options: BusyOptions): Change {
  const id = event.getFirstProperty('recurrence-id')!;
  const [at] = timesOf(id);
  return {
    at: clockOf(id, options)(at!),
    andAllLater: String(id.getParameter('range') ?? '').toUpperCase() === 'THISANDFUTURE',
    busy: isBusy(event),
    event,
  };
}

function isBusy(event: ICAL.Component): boolean {
  const value = (name: string) => String(event.getFirstPropertyValue(name) ?? '').toUpperCase();
  return value('status') !== 'CANCELLED' && value('transp') !== 'TRANSPARENT';
}

function* busyOf(event: ICAL.Component, changes: Change[], options: BusyOptions, budget: { instances: number }): Generator<Interval> {
  if (!isBusy(event)) return;
  const property = event.getFirstProperty('dtstart');
  const [first] = property ? timesOf(property) : [];
  if (!property || !first) throw new Unreadable('an event without a start');
  const clock = clockOf(property, options);
  const endOf = endsOf(event, first, clock, options);
  const lengthMs = endOf(first) - clock(first);
  // Comparisons with NaN are false, so the event would wrongly count as free.
  if (Number.isNaN(lengthMs)) throw new Unreadable('a time out of reach');
  if (!event.hasProperty('rrule') && !event.hasProperty('rdate')) {
    yield { start: clock(first), end: endOf(first) };
    return;
  }
  const left = leftOut(event, options);
  const changed = new Set(changes.filter(({ andAllLater }) => !andAllLater).map(({ at }) => at));
  const shifts = changes.filter(({ andAllLater }) => andAllLater).sort((a, b) => b.at - a.at);
  const reach = { ...options, lengthMs };
  for (const { start, end, wall } of instancesOf(event, first, clock, endOf, reach, budget)) {
    if (changed.has(start) || left.instants.has(start) || (wall && left.dates.has(dateOf(wall)))) continue;
    const shift = shifts.find(({ at }) => at <= start);
    if (!shift) yield { start, end };
    else if (shift.busy && shift.at !== start) yield shifted(shift, start, options);
  }
}

/** An occurrence after a change of all later ones. It moves by as much as the changed occurrence and gets that one's length. */
function shifted({ at, event }: Change, start: number, options: BusyOptions): Interval {
  const property = event.getFirstProperty('dtstart')!;
  const [first] = timesOf(property);
  const clock = clockOf(property, options);
  const moved = start + clock(first!) - at;
  return { start: moved, end: moved + endsOf(event, first!, clock, options)(first!) - clock(first!) };
}

interface Instance extends Interval {
  /** Start on the wall clock; undefined for periods. */
  wall?: ICAL.Time;
}

function* instancesOf(
  event: ICAL.Component,
  first: ICAL.Time,
  clock: Clock,
  endOf: Clock,
  { from, to, lengthMs }: BusyOptions & { lengthMs: number },
  budget: { instances: number },
): Generator<Instance> {
  /** Compares wall clocks with two days of tolerance: looking up the zone for every day since 1970 would take long. */
  const isNear = (wall: ICAL.Time) => wallMs(wall) + lengthMs + 2 * dayMs > from;
  const isBeyond = (wall: ICAL.Time) => wallMs(wall) - 2 * dayMs > to;
  const instance = (wall: ICAL.Time): Instance => ({ start: clock(wall), end: endOf(wall), wall });
  const spend = () => {
    if ((budget.instances -= 1) < 0) throw new TooComplex('instances');
  };

  if (isNear(first)) yield instance(first);
  for (const property of event.getAllProperties('rrule')) {
    const rule = property.getFirstValue() as unknown as ICAL.Recur;
    const isOver = endOfRule(rule, clock);
    const walls = new ICAL.RecurIterator({ rule, dtstart: nearer(first, rule, from - lengthMs - 2 * dayMs) } as never);
    for (let wall = walls.next(); wall && !isBeyond(wall); wall = walls.next()) {
      spend();
      if (isOver(wall)) break;
      if (isNear(wall)) yield instance(wall.clone());
    }
  }
  for (const property of event.getAllProperties('rdate')) {
    const at = clockOf(property, { zone: '' }, clock);
    for (const value of property.getValues() as unknown[]) {
      spend();
      if (value instanceof ICAL.Period) yield { start: at(value.start), end: at(value.getEnd()) };
      else if (isNear(value as ICAL.Time)) yield instance(value as ICAL.Time);
    }
  }
}

const periodMs: Readonly<Record<string, number>> = {
  SECONDLY: 1_000,
  MINUTELY: 60_000,
  HOURLY: 3_600_000,
  DAILY: dayMs,
  WEEKLY: 7 * dayMs,
};

/** A start of the same rule shortly before `wanted`, so that a daily meeting since 2015 does not need thousands of steps. */
function nearer(first: ICAL.Time, rule: ICAL.Recur, wanted: number): ICAL.Time {
  const start = floating(first);
  const stepMs = (periodMs[rule.freq] ?? 0) * Math.max(1, rule.interval);
  const steps = stepMs && !rule.count ? Math.floor((wanted - wallMs(start)) / stepMs) : 0;
  if (steps <= 0) return start;
  const moved = ICAL.Time.fromJSDate(new Date(wallMs(start) + steps * stepMs), true);
  moved.isDate = start.isDate;
  return floating(moved);
}

/**
 * Whether an occurrence lies after UNTIL, which is an instant, a local time or a date. UNTIL is removed from the rule, because
 * ical.js would compare it with the wall clock.
 */
function endOfRule(rule: ICAL.Recur, clock: Clock): (wall: ICAL.Time) => boolean {
  const { until } = rule;
  if (!until) return () => false;
  rule.until = null as never;
  const untilMs = wallMs(until);
  if (until.isDate) return (wall) => dateOf(wall) > dateOf(until);
  if (until.zone !== ICAL.Timezone.utcTimezone) return (wall) => wallMs(wall) > untilMs;
  return (wall) => wallMs(wall) > untilMs - 2 * dayMs && clock(wall) > untilMs;
}

/** EXDATE: excluded instants, and excluded whole days. */
function leftOut(event: ICAL.Component, options: BusyOptions): { instants: Set<number>; dates: Set<number> } {
  const instants = new Set<number>();
  const dates = new Set<number>();
  for (const property of event.getAllProperties('exdate')) {
    const clock = clockOf(property, options);
    for (const time of timesOf(property)) {
      if (time.isDate) dates.add(dateOf(time));
      else instants.add(clock(time));
    }
  }
  return { instants, dates };
}

/**
 * Computes the end of an occurrence. With DTEND, each occurrence has the same length. With DURATION, the wall clock advances by
 * the duration. With dates, whole days are added.
 */
function endsOf(event: ICAL.Component, first: ICAL.Time, clock: Clock, options: BusyOptions): Clock {
  const after = (duration: ICAL.Duration) => (wall: ICAL.Time) => {
    const end = floating(wall);
    end.addDuration(duration);
    return clock(end);
  };
  const duration = event.getFirstPropertyValue('duration') as ICAL.Duration | null;
  if (duration) return after(duration);
  const property = event.getFirstProperty('dtend');
  if (!property) return after(ICAL.Duration.fromData({ days: first.isDate ? 1 : 0 } as never));
  const [end] = timesOf(property);
  if (first.isDate && end!.isDate)
    return after(ICAL.Duration.fromData({ days: Math.round((wallMs(end!) - wallMs(first)) / dayMs) } as never));
  const lengthMs = clockOf(property, options)(end!) - clock(first);
  return (wall) => clock(wall) + lengthMs;
}

function joined(intervals: Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const { start, end } of intervals.sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else result.push({ start, end });
  }
  if (result.length > maxBlocks) throw new TooComplex('blocks');
  return result;
}
