// Turns the wall-clock times of a calendar into instants.
import ICAL from 'ical.js';
import { Temporal } from 'temporal-polyfill';

/** Turns a wall-clock time into epoch milliseconds. */
export type Clock = (wall: ICAL.Time) => number;

/**
 * The clock for a property's times: UTC, the named zone, or else the provider's zone. For a zone name that IANA knows, our own
 * zone rules are used, because slots follow them. For any other name, the calendar's VTIMEZONE is used.
 */
export function clockOf(property: ICAL.Property, { zone }: { zone: string }, otherwise: Clock = zoneClock(zone)): Clock {
  const [sample] = property.getValues() as unknown[];
  if ((sample instanceof ICAL.Period ? sample.start : (sample as ICAL.Time | undefined))?.zone === ICAL.Timezone.utcTimezone) return wallMs;
  const tzid = String(property.getParameter('tzid') ?? '');
  const own = tzid ? namedClock(property, tzid) : undefined;
  return (wall) => (wall.isDate ? otherwise(wall) : (own ?? otherwise)(wall));
}

function namedClock(property: ICAL.Property, tzid: string): Clock | undefined {
  // Globally unique ids end with the zone name: `/example.org/20260101/Europe/Berlin`.
  const steps = tzid.split('/');
  const region = [3, 2].map((count) => steps.slice(-count).join('/')).find((name) => name.includes('/') && isZone(name));
  if (region) return zoneClock(region);
  const defined = (property as unknown as { parent?: ICAL.Component }).parent?.getTimeZoneByID(tzid);
  if (!defined) return isZone(tzid) ? zoneClock(tzid) : undefined;
  return (wall) => {
    const local = floating(wall);
    local.zone = defined;
    return local.toUnixTime() * 1_000;
  };
}

const knownZones = new Map<string, boolean>();
function isZone(name: string): boolean {
  if (!knownZones.has(name)) {
    try {
      new Intl.DateTimeFormat('en', { timeZone: name });
      knownZones.set(name, true);
    } catch {
      knownZones.set(name, false);
    }
  }
  return knownZones.get(name)!;
}

const clocks = new Map<string, Clock>();
function zoneClock(zone: string): Clock {
  const known = clocks.get(zone);
  if (known) return known;
  // Daily events of one hour ask for the same times many times, so results are kept.
  const asked = new Map<number, number>();
  const clock: Clock = (wall) => {
    const key = wallMs(wall);
    const before = asked.get(key);
    if (before !== undefined) return before;
    const { year, month, day, hour, minute, second, isDate } = wall;
    const local = Temporal.PlainDateTime.from({ year, month, day, ...(!isDate && { hour, minute, second }) }, { overflow: 'reject' });
    const at = local.toZonedDateTime(zone).epochMilliseconds;
    asked.set(key, at);
    return at;
  };
  clocks.set(zone, clock);
  return clock;
}

export const timesOf = (property: ICAL.Property): ICAL.Time[] => property.getValues() as unknown as ICAL.Time[];

export const floating = (wall: ICAL.Time): ICAL.Time => {
  const copy = wall.clone();
  copy.zone = ICAL.Timezone.localTimezone;
  return copy;
};

/** The wall-clock time as epoch milliseconds, as if the clock showed UTC. */
export const wallMs = ({ year, month, day, hour, minute, second, isDate }: ICAL.Time): number =>
  Date.UTC(year, month - 1, day, ...(isDate ? [] : [hour, minute, second]));

export const dateOf = ({ year, month, day }: ICAL.Time): number => year * 10_000 + month * 100 + day;
