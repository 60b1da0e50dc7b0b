import { Temporal } from 'temporal-polyfill';
import type { TimeWindow } from '../../../domain/intake/catalogue.ts';
import type { Option } from '../../../domain/intake/decide.ts';
import { digitTimes, readClock, type ClockSpan } from './clock.ts';
import { readDates, type ChronoDates, type DaySpan } from './dates.ts';
import { lazy } from '../lazy.ts';
import { formatWindow } from '../window.ts';

export interface WhenContext {
  /** Instant, RFC 3339. */
  now: string;
  /** IANA zone in which the person speaks. */
  zone: string;
  /** The known window. `at five` keeps its day; `the 8th instead` keeps its time of day. */
  previous?: TimeWindow;
  /** Whether the person was asked for a time. Then a bare `5` is a time. */
  expected?: boolean;
}

export type WhenReading =
  | { kind: 'window'; window: TimeWindow }
  | { kind: 'ambiguous'; reason: 'ambiguous' | 'no_such_time'; options: Option[] }
  | { kind: 'past' }
  | { kind: 'unknown' };

/** Loaded at the first phrase. Loading takes 0.2 s, which a worker's start and the API do not need. */
const loadChrono = lazy(async () => (await import('chrono-node')).en.casual);

const SOON_HOURS = 4;
const WIDEST_DAYS = 31;

const soonWords =
  /\b(?:as soon as (?:you can|possible)|asap|a\.s\.a\.p\.?|right (?:now|away)|immediately|now|urgent(?:ly)?|emergency|straight ?away|at once|soonest|earliest|first available)\b/g;
const openWords = /\b(?:any ?time|whenever|any day|flexible|no rush|doesn'?t matter when|don'?t care when)\b/;
/** Phrases that look like a date but do not name the wished time, such as `for two hours` or `since yesterday`. Removed first. */
const durations = [
  /\b(?:for|takes?|lasting|lasts?)(?: about| around| at least| up to)? (?:\d+(?:[.,]\d+)?|an?|a couple of|a few|half an?|one|two|three|four|five|six|seven|eight|nine|ten)(?: and a half)?[ -]?(?:hours?|hrs?|h|minutes?|mins?|days?|weeks?)\b/g,
  /\b\d+(?:[.,]\d+)?[ -]?(?:hours?|hrs?|minutes?|mins?)(?= (?:session|shoot|job|visit|appointment|of|long)\b)/g,
  /\bsince (?:yesterday|last \w+|this \w+|\w+day|\d+ \w+|a (?:day|week|few \w+))/g,
  /\b(?:\d+|an?|a few|a couple of|two|three) (?:hours?|days?|weeks?|months?) ago\b/g,
  // The next two: goodbyes (`for now`), and days on which the person has no time.
  /\b(?:for|not(?: right)?|go|going) (?:now|today)\b/g,
  /\b(?:can'?t|cannot|can not|not free|not available|not in town|busy|won'?t)\b[^.,;!?]{0,25}?\b(?:today|tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day|the \d{1,2}(?:st|nd|rd|th))\b/g,
  /\bevery (?:day|week|month|other \w+|\w+day)\b/g,
];

/** Turns a phrase into the window in which the job may start. Deterministic: a model gives only the phrase, code computes the dates. */
export async function resolveWhen(phrase: string, context: WhenContext): Promise<WhenReading> {
  const now = Temporal.Instant.from(context.now).toZonedDateTimeISO(context.zone).round({ smallestUnit: 'minute', roundingMode: 'floor' });
  const stripped = durations.reduce((text, pattern) => text.replace(pattern, ' '), lower(phrase));
  const instant = /\d{4}-\d{2}-\d{2}t\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z|[+-]\d{2}:\d{2})/.exec(stripped);
  if (instant) return fromInstant(Temporal.Instant.from(instant[0].toUpperCase()).toZonedDateTimeISO(context.zone), now);
  const soon = readRelative(stripped, now);
  if (soon) return soon;
  const urgent = stripped.search(soonWords) >= 0;
  const spoken = digitTimes(stripped.replace(soonWords, ' '));
  const clock = readClock(spoken, context.expected);
  const rest = clock?.rest ?? spoken;
  // `at 25:00` is not a valid time. A reading of the day alone would hide the mistake.
  if (/\b\d{1,2}:\d{2}\b/.test(rest)) return { kind: 'unknown' };
  const dates = readDates(
    rest,
    now.toPlainDate(),
    context.zone.startsWith('America/') || context.zone.startsWith('US/'),
    await chronoDates(),
  );
  if (!dates && !clock) {
    if (urgent) return windowOf(now, now.add({ hours: SOON_HOURS }));
    return openWords.test(stripped) ? windowOf(now, now.add({ days: 7 })) : { kind: 'unknown' };
  }
  const previous = context.previous && previousParts(context.previous, context.zone);
  const spans = clock?.spans ?? (previous?.span ? [previous.span] : [undefined]);
  const dayList = dates?.spans ?? [dayFor(now, previous?.day, spans)];
  const by = /\bby\b/.test(rest);
  return choose(
    dayList.flatMap((day) => spans.flatMap((span) => (span?.exact ? eachDay(day, by) : [day]).map((one) => ({ day: one, span })))),
    now,
  );
}

/**
 * Splits a span of days for an exact time. `this weekend at 10` means 10 o'clock on either day; `by monday at 10` (`onlyLast`)
 * means Monday. A span of more than three days stays whole.
 */
function eachDay(day: DaySpan, onlyLast: boolean): DaySpan[] {
  const length = day.first.until(day.end).days;
  if (length < 2 || (length > 3 && !onlyLast)) return [day];
  const days = Array.from({ length }, (_item, index) => ({
    first: day.first.add({ days: index }),
    end: day.first.add({ days: index + 1 }),
    named: true,
  }));
  return onlyLast ? days.slice(-1) : days;
}

const lower = (text: string) => text.normalize('NFKC').toLowerCase().replace(/[‐-―]/g, '-').replace(/[’‘]/g, "'");

/** Reads a time relative to now: `in 2 hours`, `within 90 minutes`. */
function readRelative(text: string, now: Temporal.ZonedDateTime): WhenReading | undefined {
  const match =
    /\b(in|within)(?: the next| about| around)? (\d{1,3}|an?|half an?|a couple of|a few|one|two|three|four|five|six) ?(hours?|hrs?|h|minutes?|mins?)\b/.exec(
      text,
    );
  if (!match) return undefined;
  const words: Record<string, number> = {
    a: 1,
    an: 1,
    'half a': 0.5,
    'half an': 0.5,
    'a couple of': 2,
    'a few': 3,
    one: 1,
    two: 2,
    three: 3,
    four: 4,
    five: 5,
    six: 6,
  };
  const minutes = Math.round((words[match[2]!] ?? Number(match[2])) * (match[3]!.startsWith('h') ? 60 : 1));
  const at = now.add({ minutes: Math.max(minutes, 1) });
  return match[1] === 'within' ? windowOf(now, at) : windowOf(at, at.add({ hours: 1 }));
}

function fromInstant(at: Temporal.ZonedDateTime, now: Temporal.ZonedDateTime): WhenReading {
  const end = at.add({ minutes: 30 });
  return Temporal.ZonedDateTime.compare(end, now) <= 0 ? { kind: 'past' } : windowOf(at, end);
}

/** Gives chrono the local date as if it were UTC, so that the zone of the process has no influence. */
async function chronoDates(): Promise<ChronoDates> {
  const chrono = await loadChrono();
  return (text, today) =>
    chrono
      .parse(text, { instant: new Date(Date.UTC(today.year, today.month - 1, today.day, 12)), timezone: 0 }, { forwardDate: true })
      .flatMap(({ start, end }) => {
        const plain = (parts: typeof start) =>
          Temporal.PlainDate.from({ year: parts.get('year')!, month: parts.get('month')!, day: parts.get('day')! });
        if (!start.isCertain('day') && !start.isCertain('weekday') && !start.isCertain('month')) return [];
        return [{ day: plain(start), ...(end ? { end: plain(end) } : {}) }];
      });
}

interface Previous {
  day: Temporal.PlainDate;
  span: ClockSpan | undefined;
}

/**
 * The day and the time of day of the known window, which a new phrase can keep. The time of day of a window that began `now`
 * (not on a quarter of an hour) is not kept.
 */
function previousParts({ from, to }: TimeWindow, zone: string): Previous {
  const [start, end] = [from, to].map((at) => Temporal.Instant.from(at).toZonedDateTimeISO(zone)) as [
    Temporal.ZonedDateTime,
    Temporal.ZonedDateTime,
  ];
  const minutes = (at: Temporal.ZonedDateTime) => at.hour * 60 + at.minute;
  const length = Math.round(start.until(end).total('minutes'));
  const kept = length < 24 * 60 && start.minute % 15 === 0 && minutes(start) + length <= 24 * 60;
  return { day: start.toPlainDate(), span: kept ? { from: minutes(start), to: minutes(start) + length, exact: length <= 30 } : undefined };
}

/** The day of a time without a day: the known day or today. Tomorrow when the time has already passed today. */
function dayFor(now: Temporal.ZonedDateTime, known: Temporal.PlainDate | undefined, spans: readonly (ClockSpan | undefined)[]): DaySpan {
  const today = now.toPlainDate();
  const first = known && Temporal.PlainDate.compare(known, today) >= 0 ? known : today;
  const ends = Math.max(...spans.map((span) => (span?.exact ? span.from : (span?.to ?? 24 * 60))));
  const over = first.equals(today) && ends <= now.hour * 60 + now.minute;
  const day = over ? today.add({ days: 1 }) : first;
  return { first: day, end: day.add({ days: 1 }), named: false };
}

interface Candidate {
  day: DaySpan;
  span: ClockSpan | undefined;
}

function choose(candidates: readonly Candidate[], now: Temporal.ZonedDateTime): WhenReading {
  const read = candidates.map((candidate) => place(candidate, now));
  const open = read.filter((one) => one.kind !== 'past');
  if (open.length === 0) return { kind: 'past' };
  if (open.length === 1) return open[0]!;
  const options = open.flatMap((one) => (one.kind === 'window' ? [option(one.window, now)] : one.kind === 'ambiguous' ? one.options : []));
  return { kind: 'ambiguous', reason: 'ambiguous', options: options.slice(0, 4) };
}

const option = (window: TimeWindow, now: Temporal.ZonedDateTime): Option => ({
  label: formatWindow(window, now.toInstant().toString()),
  value: window,
});

/** Turns days and a time of day into instants in the zone of `now`. */
function place({ day, span }: Candidate, now: Temporal.ZonedDateTime): WhenReading {
  const zone = now.timeZoneId;
  const last = day.end.subtract({ days: 1 });
  const at = (date: Temporal.PlainDate, minutes: number) =>
    minutes >= 24 * 60
      ? date.add({ days: 1 }).toPlainDateTime()
      : date.toPlainDateTime({ hour: Math.floor(minutes / 60), minute: minutes % 60 });
  const start = at(day.first, span?.from ?? 0);
  if (span?.exact) {
    const both = (['earlier', 'later'] as const).map((disambiguation) => start.toZonedDateTime(zone, { disambiguation }));
    // A change of the clocks skips this local time or repeats it.
    if (Temporal.ZonedDateTime.compare(both[0]!, both[1]!) !== 0) return twice(both, start, now);
  }
  const from = start.toZonedDateTime(zone, { disambiguation: 'compatible' });
  const to = at(last, span?.to ?? 24 * 60).toZonedDateTime(zone, { disambiguation: 'compatible' });
  if (Temporal.ZonedDateTime.compare(to, now) <= 0 || (span?.exact && Temporal.ZonedDateTime.compare(from, now) < 0))
    return { kind: 'past' };
  return windowOf(Temporal.ZonedDateTime.compare(from, now) < 0 ? now : from, to);
}

function twice(both: Temporal.ZonedDateTime[], wanted: Temporal.PlainDateTime, now: Temporal.ZonedDateTime): WhenReading {
  const gap = both.every((at) => !at.toPlainDateTime().equals(wanted));
  const options = both
    .filter((at) => Temporal.ZonedDateTime.compare(at, now) > 0)
    .map((at) => {
      const { label, value } = option(spanned(at, at.add({ minutes: 30 })), now);
      return { label: gap ? label : `${label} (UTC${at.offset})`, value };
    });
  return options.length === 0 ? { kind: 'past' } : { kind: 'ambiguous', reason: gap ? 'no_such_time' : 'ambiguous', options };
}

const spanned = (from: Temporal.ZonedDateTime, to: Temporal.ZonedDateTime): TimeWindow => ({
  from: from.toInstant().toString(),
  to: to.toInstant().toString(),
  zone: from.timeZoneId,
});

function windowOf(from: Temporal.ZonedDateTime, to: Temporal.ZonedDateTime): WhenReading {
  const widest = from.add({ days: WIDEST_DAYS });
  const end = Temporal.ZonedDateTime.compare(to, widest) > 0 ? widest : to;
  return Temporal.ZonedDateTime.compare(from, end) >= 0 ? { kind: 'past' } : { kind: 'window', window: spanned(from, end) };
}
