// Our clocks and slots against another library's, around every change of the clocks in 12 zones from 2024 to 2030.
import { beforeAll, describe, expect, it } from '@jest/globals';
import { availability, dayNumber, weekdayOf, type Calendar } from '../../src/domain/calendar/availability.ts';
import type { DomainError } from '../../src/domain/errors.ts';
import { clockOf, formatLocal, instantOf } from '../../src/domain/calendar/local-time.ts';
import { DateTime } from 'luxon';
import { day, everyDay, minute, open, zones } from '../support/calendar.ts';
import { instantsOf, shownAt, transitions } from '../support/luxon-clock.ts';

const [from, to] = [Date.parse('2024-01-01T00:00:00Z'), Date.parse('2031-01-01T00:00:00Z')];
const iso = (at: number) => new Date(at).toISOString();
const step = 5 * minute;
let changes: [zone: string, at: number][];

beforeAll(() => {
  changes = zones.flatMap((zone) => transitions(zone, from, to).map((at): [string, number] => [zone, at]));
});

/** From three hours before to three hours after, every quarter of an hour. */
const localTimes = (around: number): string[] => Array.from({ length: 25 }, (_, n) => iso(around + (n - 12) * 15 * minute).slice(0, 16));

/** Every slot of a stretch, by its definition: step by step, with the other library's clock. */
function slotsByHand({ zone, rules, exceptions }: Calendar, window: { from: number; to: number }, durationMinutes: number): number[] {
  const walls: [at: number, wall: string][] = [];
  for (let at = window.from - 2 * day; at < window.to + 2 * day; at += step) walls.push([at, shownAt(at, zone)]);
  // Every opening begins, and ends, at the first moment at which the clock shows its time or a later one.
  const shown = (date: string, minutes: number) => {
    const wanted = iso(Date.parse(date) + minutes * minute).slice(0, 16);
    return (walls.find(([, wall]) => wall >= wanted) ?? walls.at(-1)!)[0];
  };
  const opened = new Map<number, number>();
  for (let days = -1; days <= 2; days += 1) {
    const date = iso(window.from + days * day).slice(0, 10);
    if (exceptions.some(({ kind, fromDate, toDate }) => kind === 'closed' && fromDate <= date && date <= toDate)) continue;
    for (const { weekday, startMinute, endMinute } of rules) {
      if (weekday !== DateTime.fromISO(date).weekday) continue;
      const [first, last] = [shown(date, startMinute), shown(date, endMinute)];
      for (let at = first; at < last; at += step) opened.set(at, first);
    }
  }
  const starts: number[] = [];
  for (let at = window.from; at < window.to; at += step) {
    const since = opened.get(at);
    if (since === undefined || (at - since) % (15 * minute) !== 0) continue;
    let free = true;
    for (let inside = at; inside < at + durationMinutes * minute; inside += step) free &&= opened.has(inside);
    if (free) starts.push(at);
  }
  return starts;
}

describe('around every change of the clocks from 2024 to 2030', () => {
  it('the twelve zones change their clocks in all the ways there are', () => {
    expect(changes.length).toBeGreaterThan(130);
    expect(new Set(changes.map(([zone]) => zone))).toEqual(new Set(zones));
  });

  it('local times become the same instants, the same gaps and the same overlaps', () => {
    for (const [zone, at] of changes) {
      const around = Date.parse(`${shownAt(at, zone)}Z`);
      for (const local of localTimes(around)) {
        const expected = instantsOf(local, zone);
        for (const disambiguation of ['earlier', 'later'] as const) {
          let found: number | undefined;
          try {
            found = instantOf({ local, zone, disambiguation }, '/local');
          } catch (error) {
            expect((error as DomainError).code).toBe('local_time_gap');
          }
          const wanted = disambiguation === 'earlier' ? expected[0] : expected.at(-1);
          if (found !== wanted) throw new Error(`${local} ${zone} ${disambiguation}: ${found && iso(found)} but ${wanted && iso(wanted)}`);
        }
      }
    }
  });

  it('instants are written with the same local time and offset', () => {
    for (const [zone, at] of changes) {
      const clock = clockOf(zone, at, at);
      for (let instant = at - day; instant <= at + day; instant += 15 * minute) {
        const expected = DateTime.fromMillis(instant, { zone }).toISO({ suppressMilliseconds: true })!.replace('Z', '+00:00');
        if (formatLocal(instant, clock) !== expected)
          throw new Error(`${iso(instant)} ${zone}: ${formatLocal(instant, clock)} but ${expected}`);
      }
    }
  });

  it('the same slots are on offer', () => {
    let slots = 0;
    for (const [index, [zone, at]] of changes.entries()) {
      // Hours that touch the change, that end in it, that run through it, and around the clock.
      const rules = [
        everyDay(0, 1440),
        [...everyDay(0, 95), ...everyDay(150, 400)],
        [...everyDay(30, 120), ...everyDay(120, 175), ...everyDay(1370, 1440)],
      ][index % 3]!;
      const closedOn = iso(at + (index % 2 ? day : -day)).slice(0, 10);
      const calendar = open({
        zone,
        rules,
        exceptions: [{ kind: 'closed', fromDate: closedOn, toDate: closedOn, startMinute: null, endMinute: null }],
      });
      const window = { from: at - day / 2, to: at + day / 2 };
      const durationMinutes = [30, 60, 95][(index >> 1) % 3]!;
      const listed = [...availability(calendar, window, window.from).slots(durationMinutes)];
      expect(listed.every(({ start, end }) => end - start === durationMinutes * minute)).toBe(true);
      const starts = listed.map(({ start }) => start);
      const expected = slotsByHand(calendar, window, durationMinutes);
      if (starts.join() !== expected.join()) {
        const [more, fewer] = [starts.filter((one) => !expected.includes(one)), expected.filter((one) => !starts.includes(one))];
        throw new Error(`${zone} ${iso(at)}: listed but not open ${more.map(iso).join()}, open but not listed ${fewer.map(iso).join()}`);
      }
      slots += starts.length;
    }
    expect(slots).toBeGreaterThan(5_000);
  });

  it('weekdays are those of the other library', () => {
    for (let at = Date.parse('1969-01-01'); at < to; at += 3 * day) {
      const date = iso(at).slice(0, 10);
      expect(weekdayOf(dayNumber(date))).toBe(DateTime.fromISO(date).weekday);
    }
  });
});
