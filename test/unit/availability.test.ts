import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { listSlots, nearestSlots, whyNot, type Busy, type Calendar, type DatedException } from '../../src/domain/calendar/availability.ts';
import { calendars, day, everyDay, minute, open } from '../support/calendar.ts';

const at = (text: string) => Date.parse(text);
const iso = (instant: number) => new Date(instant).toISOString();
const slotAt = (start: string, minutes = 60) => ({ start: at(start), end: at(start) + minutes * minute });
const busyAt = (start: string, seat: number | null = 0, minutes = 60): Busy => ({ ...slotAt(start, minutes), seat });
const closed = (fromDate: string, toDate = fromDate): DatedException => ({
  kind: 'closed',
  fromDate,
  toDate,
  startMinute: null,
  endMinute: null,
});
const extra = (date: string, startMinute: number, endMinute: number): DatedException => ({
  kind: 'extra',
  fromDate: date,
  toDate: date,
  startMinute,
  endMinute,
});
const now = at('2026-06-01T00:00:00Z');
/** Starts on one local day in New York. */
const startsOn = (calendar: Calendar, date: string, durationMinutes = 60) => {
  const from = at(`${date}T00:00:00-04:00`);
  return [...listSlots(calendar, { from, to: from + day, durationMinutes, now })].map(({ start }) => iso(start).slice(11, 16));
};

describe('a calendar', () => {
  it('offers slots inside opening hours in the provider’s zone, to the last one that still fits', () => {
    const starts = startsOn(open(), '2026-06-02');
    expect(starts[0]).toBe('13:00');
    expect(starts.at(-1)).toBe('20:00');
    expect(starts).toHaveLength(29);
  });

  it.each([
    ['in_the_past', open(), slotAt('2026-05-31T15:00:00Z')],
    ['too_soon', open({ minimumNoticeMinutes: 24 * 60 }), slotAt('2026-06-01T15:00:00Z')],
    ['beyond_horizon', open({ horizonDays: 1 }), slotAt('2026-06-05T15:00:00Z')],
    ['beyond_horizon', open(), slotAt('9999-12-30T15:00:00Z')],
    ['length', open(), slotAt('2026-06-02T15:00:00Z', 4)],
    ['length', open(), slotAt('2026-06-02T15:00:00Z', 1_441)],
    ['length', open(), slotAt('2026-06-02T15:00:00Z', 30.5)],
    ['length', open(), slotAt('2026-06-02T15:00:00Z', -60)],
    ['closed', open(), slotAt('2026-06-02T03:00:00Z')],
    ['closed', open(), slotAt('2026-06-02T20:30:00Z')],
    ['closed', open({ exceptions: [closed('2026-06-01', '2026-06-03')] }), slotAt('2026-06-02T15:00:00Z')],
    ['closed', open({ exceptions: [closed('2026-06-02'), extra('2026-06-02', 0, 60)] }), slotAt('2026-06-02T15:00:00Z')],
    ['off_grid', open(), slotAt('2026-06-02T15:05:00Z')],
    ['daily_cap', open({ dailyCap: 1, booked: [at('2026-06-02T13:00:00Z')] }), slotAt('2026-06-02T18:00:00Z')],
    ['busy', open({ busy: [busyAt('2026-06-02T15:30:00Z')] }), slotAt('2026-06-02T15:00:00Z')],
    ['busy', open({ bufferAfterMinutes: 30, busy: [busyAt('2026-06-02T16:15:00Z')] }), slotAt('2026-06-02T15:00:00Z')],
    ['busy', open({ bufferBeforeMinutes: 30, busy: [busyAt('2026-06-02T13:45:00Z')] }), slotAt('2026-06-02T15:00:00Z')],
    ['busy', open({ capacity: 9, busy: [busyAt('2026-06-02T15:00:00Z', null)] }), slotAt('2026-06-02T15:00:00Z')],
    [null, open({ capacity: 2, busy: [busyAt('2026-06-02T15:00:00Z')] }), slotAt('2026-06-02T15:00:00Z')],
    [null, open({ busy: [busyAt('2026-06-02T16:00:00Z')] }), slotAt('2026-06-02T15:00:00Z')],
    [null, open({ exceptions: [extra('2026-06-02', 1200, 1320)] }), slotAt('2026-06-03T00:00:00Z')],
    [null, open({ dailyCap: 1, booked: [at('2026-06-02T13:00:00Z')] }), slotAt('2026-06-03T18:00:00Z')],
  ] as const)('says %s', (reason, calendar, slot) => {
    expect(whyNot(calendar, slot, now)).toBe(reason);
  });

  it('a provider’s own word waives the minimum notice, and nothing else', () => {
    const calendar = open({ minimumNoticeMinutes: 24 * 60, horizonDays: 1, busy: [busyAt('2026-06-01T18:00:00Z')] });
    const agreed = (start: string) => whyNot(calendar, slotAt(start), now, { agreed: true });
    expect(agreed('2026-06-01T15:00:00Z')).toBeNull();
    expect(agreed('2026-06-01T18:00:00Z')).toBe('busy');
    expect(agreed('2026-06-01T03:00:00Z')).toBe('closed');
    expect(agreed('2026-06-05T15:00:00Z')).toBe('beyond_horizon');
  });

  it('the horizon itself can still be booked, a quarter of an hour later cannot', () => {
    const calendar = open({ rules: everyDay(0, 1440), horizonDays: 1 });
    const starts = [...listSlots(calendar, { from: now, to: now + 3 * day, durationMinutes: 1440, now })].map(({ start }) => iso(start));
    expect(starts.at(-1)).toBe('2026-06-02T00:00:00.000Z');
    expect(whyNot(calendar, slotAt('2026-06-02T00:00:00Z', 1440), now)).toBeNull();
    expect(whyNot(calendar, slotAt('2026-06-02T00:15:00Z', 1440), now)).toBe('beyond_horizon');
  });

  it('crosses midnight where two days are open without a gap', () => {
    expect(whyNot(open({ rules: everyDay(0, 1440) }), slotAt('2026-06-02T03:30:00Z'), now)).toBeNull();
  });

  it('openings that touch keep their own grid, those that overlap are one', () => {
    const touching = open({ rules: [...everyDay(540, 610), ...everyDay(610, 660)] });
    expect(startsOn(touching, '2026-06-02', 30)).toEqual(['13:00', '13:15', '13:30', '13:45', '14:00', '14:10', '14:25']);
    const overlapping = open({ rules: everyDay(540, 600), exceptions: [extra('2026-06-02', 595, 660)] });
    expect(startsOn(overlapping, '2026-06-02', 60)).toEqual(['13:00', '13:15', '13:30', '13:45', '14:00']);
  });

  it('fault 13: keeps the slot’s length over a spring-forward gap, and opens once on the day of an overlap', () => {
    const always = open({ rules: everyDay(0, 1440), horizonDays: 700 });
    const spring = [...listSlots(always, { from: at('2027-03-14T05:00:00Z'), to: at('2027-03-15T04:00:00Z'), durationMinutes: 60, now })];
    expect(spring).toHaveLength(23 * 4);
    for (const { start, end } of spring) expect(end - start).toBe(60 * minute);
    const autumn = [...listSlots(always, { from: at('2026-11-01T04:00:00Z'), to: at('2026-11-02T05:00:00Z'), durationMinutes: 60, now })];
    expect(autumn).toHaveLength(25 * 4);
    expect(new Set(autumn.map(({ start }) => start)).size).toBe(25 * 4);
  });

  it('fault 13: an opening in hours that are skipped begins at the jump, one wholly inside does not exist', () => {
    const spring = (startMinute: number, endMinute: number) => {
      const calendar = open({ rules: everyDay(startMinute, endMinute), horizonDays: 700 });
      const day = { from: at('2027-03-14T05:00:00Z'), to: at('2027-03-15T04:00:00Z') };
      return [...listSlots(calendar, { ...day, durationMinutes: 15, now })].map(({ start }) => iso(start).slice(11, 16));
    };
    expect(spring(150, 210)).toEqual(['07:00', '07:15']);
    expect(spring(120, 180)).toEqual([]);
    expect(spring(90, 150)).toEqual(['06:30', '06:45']);
  });

  it('fault 13: a day that a zone skips has no openings, and none that move to another day', () => {
    const samoa = open({ zone: 'Pacific/Apia', rules: everyDay(540, 600) });
    const window = { from: at('2011-12-29T00:00:00Z'), to: at('2012-01-01T00:00:00Z'), durationMinutes: 60 };
    const starts = [...listSlots(samoa, { ...window, now: window.from })].map(({ start }) => iso(start));
    // Nine o'clock on December 29 (-10:00), December 31 and January 1 (+14:00); Friday the 30th never was.
    expect(starts).toEqual(['2011-12-29T19:00:00.000Z', '2011-12-30T19:00:00.000Z', '2011-12-31T19:00:00.000Z']);
    const friday = open({ zone: 'Pacific/Apia', rules: [{ weekday: 5, startMinute: 540, endMinute: 600 }] });
    expect([...listSlots(friday, { ...window, now: window.from })]).toEqual([]);
  });

  it('leap day: February 29 has the hours of its weekday', () => {
    const tuesday = open({ rules: [{ weekday: 2, startMinute: 540, endMinute: 600 }] });
    expect(whyNot(tuesday, slotAt('2028-02-29T14:00:00Z'), at('2028-02-20T00:00:00Z'))).toBeNull();
    expect(whyNot(open({ exceptions: [closed('2028-02-29')] }), slotAt('2028-02-29T14:00:00Z'), at('2028-02-20T00:00:00Z'))).toBe('closed');
  });

  it('the daily cap counts by the local day of the start, also on days of 23 and 25 hours', () => {
    const always = open({ rules: everyDay(0, 1440), dailyCap: 1, horizonDays: 700, booked: [at('2026-11-01T04:30:00Z')] });
    // November 1 in New York: from 04:00Z, for 25 hours.
    expect(whyNot(always, slotAt('2026-11-02T04:45:00Z', 15), now)).toBe('daily_cap');
    expect(whyNot(always, slotAt('2026-11-02T05:00:00Z', 15), now)).toBeNull();
    expect(whyNot(always, slotAt('2026-11-01T03:45:00Z', 15), now)).toBeNull();
  });

  it('names free slots near one that is taken, the nearest first found, in order', () => {
    const calendar = open({ busy: [busyAt('2026-06-02T15:00:00Z')] });
    expect(nearestSlots(calendar, slotAt('2026-06-02T15:00:00Z'), now).map(({ start }) => iso(start).slice(11, 16))).toEqual([
      '13:30',
      '13:45',
      '14:00',
      '16:00',
      '16:15',
    ]);
  });
});

describe('seats', () => {
  it('one seat has to be free all the time: two half free ones are none', () => {
    const busy = [busyAt('2026-06-02T15:00:00Z', 0), busyAt('2026-06-02T16:00:00Z', 1)];
    const calendar = open({ capacity: 2, busy });
    expect(whyNot(calendar, slotAt('2026-06-02T15:30:00Z'), now)).toBe('busy');
    expect(whyNot(calendar, slotAt('2026-06-02T15:00:00Z'), now)).toBeNull();
    expect(whyNot(calendar, slotAt('2026-06-02T16:00:00Z'), now)).toBeNull();
  });

  it('given a capacity lowered below what is booked, nothing is added until there is room', () => {
    const busy = [0, 1, 2].map((seat) => busyAt('2026-06-02T15:00:00Z', seat)).slice(1);
    expect(whyNot(open({ capacity: 2, busy }), slotAt('2026-06-02T15:00:00Z'), now)).toBe('busy');
    expect(whyNot(open({ capacity: 2, busy: busy.slice(1) }), slotAt('2026-06-02T15:00:00Z'), now)).toBeNull();
    expect(whyNot(open({ capacity: 1, busy: busy.slice(1) }), slotAt('2026-06-02T15:00:00Z'), now)).toBe('busy');
  });
});

describe('what is listed and what can be booked', () => {
  it('List equals book: every listed slot can be booked, no other start can, for any calendar and zone', () => {
    fc.assert(
      fc.property(calendars(), fc.integer({ min: 0, max: 24 * 60 }), ({ calendar, now: then, durationMinutes }, offset) => {
        const from = then + offset * minute;
        const to = from + 8 * 60 * minute;
        const starts = [...listSlots(calendar, { from, to, durationMinutes, now: then })].map((slot) => slot.start);
        const listed = new Set(starts);
        expect(starts).toEqual([...listed].sort((a, b) => a - b));
        for (let start = from; start < to; start += minute) {
          const reason = whyNot(calendar, { start, end: start + durationMinutes * minute }, then);
          if ((reason === null) !== listed.has(start)) throw new Error(`${iso(start)}: listed ${listed.has(start)}, says ${reason}`);
        }
      }),
      { numRuns: 60, seed: 20261121 },
    );
  });

  it('a stretch of time listed in pieces is listed alike', () => {
    fc.assert(
      fc.property(calendars(), fc.integer({ min: 1, max: 4_000 }), ({ calendar, now: then, durationMinutes }, cut) => {
        const list = (from: number, to: number) => [...listSlots(calendar, { from, to, durationMinutes, now: then })];
        const [from, to] = [then, then + 4_001 * minute];
        expect([...list(from, from + cut * minute), ...list(from + cut * minute, to)]).toEqual(list(from, to));
      }),
      { numRuns: 60, seed: 20261121 },
    );
  });
});
