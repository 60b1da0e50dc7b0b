// The one place that turns local times into instants, and instants into local times.
import { Temporal } from 'temporal-polyfill';
import { DomainError, invalid } from '../errors.ts';
import { iso } from '../time.ts';

export const dayMs = 86_400_000;
const endOfYear9999 = 253_402_300_800_000;

/** A local time in a zone. A clock that is put back shows some times twice: `disambiguation` chooses, by default the earlier one. */
export interface LocalTime {
  /** `2026-03-08T14:30`, without an offset. */
  local: string;
  zone: string;
  disambiguation?: 'earlier' | 'later' | undefined;
}

/** An agreed interval: instants in RFC 3339, and the IANA zone in which it was agreed. */
export interface ZonedSlot {
  startsAt: string;
  endsAt: string;
  zone: string;
}

/**
 * Whether this is an IANA zone that all our computations know. Hosts also know abbreviations such as `PST`; these are refused, because
 * their meaning varies.
 */
export function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * The instant of a local time, in milliseconds since the epoch.
 * @param field JSON pointer to the time
 * @throws local_time_gap naming the nearest times that exist; validation_failed for a date or time that no calendar has
 */
export function instantOf({ local, zone, disambiguation = 'earlier' }: LocalTime, field: string): number {
  const wanted = plainDateTime(local, field);
  const [earlier, later] = (['earlier', 'later'] as const).map((which) => wanted.toZonedDateTime(zone, { disambiguation: which })) as [
    Temporal.ZonedDateTime,
    Temporal.ZonedDateTime,
  ];
  if (!earlier.toPlainDateTime().equals(wanted)) {
    const [before, after] = [earlier, later].map((at) => at.toPlainDateTime().toString({ smallestUnit: 'minute' }));
    throw new DomainError('local_time_gap', `In ${zone} the clocks are put forward over ${local}.`, {
      fields: [{ field, message: `does not exist in ${zone}: choose ${after} or ${before}` }],
    });
  }
  const at = (disambiguation === 'later' ? later : earlier).epochMilliseconds;
  // RFC 3339 cannot name an instant in UTC after the year 9999.
  if (at < 0 || at >= endOfYear9999) throw invalid(field, 'must lie between 1970 and 9999');
  return at;
}

function plainDateTime(local: string, field: string): Temporal.PlainDateTime {
  try {
    // The library reads a leap second as the second before it, so `:60` is refused here.
    if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::[0-5]\d)?$/.test(local)) return Temporal.PlainDateTime.from(local);
  } catch {
    // February 30, 25 o'clock: refused below.
  }
  throw invalid(field, 'must be a date and time that exist, without an offset, e.g. 2026-03-08T14:30');
}

/**
 * The slot that a body names: by its instants, or by a local start (the length then stays that of `current`). A body that names neither
 * keeps `current`.
 * @throws validation_failed, local_time_gap
 */
export function chosenSlot(
  { slot, start }: { slot?: ZonedSlot | undefined; start?: LocalTime | undefined },
  current: ZonedSlot,
): ZonedSlot {
  if (slot && start) throw invalid('/start', 'give a slot or a start, not both');
  if (start) {
    const startsAt = instantOf(start, '/start/local');
    return slotFrom(startsAt, startsAt + Date.parse(current.endsAt) - Date.parse(current.startsAt), start.zone, '/start/local');
  }
  const { startsAt, endsAt, zone } = slot ?? current;
  return slotFrom(Date.parse(startsAt), Date.parse(endsAt), zone, '/slot/endsAt');
}

function slotFrom(start: number, end: number, zone: string, field: string): ZonedSlot {
  if (!(start < end)) throw invalid(field, 'must be after startsAt');
  if (start < 0 || end >= endOfYear9999) throw invalid(field, 'must lie between 1970 and 9999');
  return { startsAt: iso(start), endsAt: iso(end), zone };
}

/**
 * The clock of a zone, valid for a range of instants. A wall time says what a clock shows: it is the number of milliseconds since the epoch
 * at which a clock in UTC shows the same.
 */
export interface Clock {
  /** The wall time at an instant, which is in milliseconds since the epoch. */
  wallAt(at: number): number;
  /**
   * The first instant at which the clock shows this wall time or a later one. For a skipped time this is the moment of the jump, for a
   * repeated time the earlier instant.
   */
  firstShown(wall: number): number;
}

interface Period {
  start: number;
  end: number;
  offset: number;
}

/** The clock of a zone, good for instants in `[from, to]` and two days around them. */
export function clockOf(zone: string, from: number, to: number): Clock {
  const periods: Period[] = [];
  const lastYear = new Date(to + 2 * dayMs).getUTCFullYear();
  for (let year = new Date(from - 2 * dayMs).getUTCFullYear(); year <= lastYear; year += 1) periods.push(...periodsOf(zone, year));
  const last = periods.at(-1)!;
  return {
    wallAt: (at) => at + (periods.find(({ end }) => at < end) ?? last).offset,
    firstShown(wall) {
      const { start, offset } = periods.find((period) => wall - period.offset < period.end) ?? last;
      return Math.max(start, wall - offset);
    },
  };
}

/** A cache, because looking up a zone costs milliseconds. Zone rules do not change while a process runs. */
const known = new Map<string, Period[]>();
const mostKnown = 2_000;

/** The periods of one UTC year in which the zone's offset stays the same. Offsets are in milliseconds. */
function periodsOf(zone: string, year: number): Period[] {
  const key = `${zone} ${year}`;
  const found = known.get(key);
  if (found) return found;
  const [start, end] = [Date.UTC(year), Date.UTC(year + 1)];
  const periods: Period[] = [];
  let at: Temporal.ZonedDateTime | null = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(zone);
  while (at && at.epochMilliseconds < end) {
    const next: Temporal.ZonedDateTime | null = at.getTimeZoneTransition('next');
    periods.push({
      start: at.epochMilliseconds,
      end: Math.min(next?.epochMilliseconds ?? end, end),
      offset: at.offsetNanoseconds / 1_000_000,
    });
    at = next;
  }
  if (known.size >= mostKnown) known.clear(); // the spellings of a zone are many, so the cache needs a bound
  known.set(key, periods);
  return periods;
}

/** `2026-03-08T03:30:00-04:00`: RFC 3339 with the offset of that moment. */
export function formatLocal(at: number, clock: Clock): string {
  const wall = clock.wallAt(at);
  const minutes = Math.round((wall - at) / 60_000);
  const [hour, minute] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((value) => String(value).padStart(2, '0'));
  return `${new Date(wall).toISOString().slice(0, 19)}${minutes < 0 ? '-' : '+'}${hour}:${minute}`;
}
