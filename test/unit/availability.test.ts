import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { listSlots, whyNot, type Calendar } from '../../src/domain/availability.ts';

const minute = 60_000;
const open = (more: Partial<Calendar> = {}): Calendar => ({
  zone: 'America/New_York',
  rules: [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, startMinute: 9 * 60, endMinute: 17 * 60 })),
  exceptions: [],
  minimumNoticeMinutes: 0,
  horizonDays: 60,
  dailyCap: null,
  capacity: 1,
  bufferBeforeMinutes: 0,
  bufferAfterMinutes: 0,
  busy: [],
  ...more,
});
const at = (text: string) => Date.parse(text);
const slotAt = (start: string, minutes = 60) => ({ start: at(start), end: at(start) + minutes * minute });
const now = at('2026-06-01T00:00:00Z');

describe('a calendar', () => {
  it('offers slots inside opening hours in the provider’s zone, to the last one that still fits', () => {
    const day = { from: at('2026-06-02T00:00:00-04:00'), to: at('2026-06-03T00:00:00-04:00'), durationMinutes: 60, now };
    const starts = [...listSlots(open(), day)].map(({ start }) => new Date(start).toISOString());
    expect(starts[0]).toBe('2026-06-02T13:00:00.000Z');
    expect(starts.at(-1)).toBe('2026-06-02T20:00:00.000Z');
    expect(starts).toHaveLength(29);
  });

  it.each([
    ['in_the_past', open(), slotAt('2026-05-31T15:00:00Z')],
    ['too_soon', open({ minimumNoticeMinutes: 24 * 60 }), slotAt('2026-06-01T15:00:00Z')],
    ['beyond_horizon', open({ horizonDays: 1 }), slotAt('2026-06-05T15:00:00Z')],
    ['closed', open(), slotAt('2026-06-02T03:00:00Z')],
    ['closed', open(), slotAt('2026-06-02T20:30:00Z')],
    [
      'closed',
      open({ exceptions: [{ kind: 'closed', fromDate: '2026-06-01', toDate: '2026-06-03', startMinute: null, endMinute: null }] }),
      slotAt('2026-06-02T15:00:00Z'),
    ],
    ['off_grid', open(), slotAt('2026-06-02T15:05:00Z')],
    ['daily_cap', open({ dailyCap: 1, busy: [slotAt('2026-06-02T13:00:00Z')] }), slotAt('2026-06-02T18:00:00Z')],
    ['busy', open({ busy: [slotAt('2026-06-02T15:30:00Z')] }), slotAt('2026-06-02T15:00:00Z')],
    ['busy', open({ bufferAfterMinutes: 30, busy: [slotAt('2026-06-02T16:15:00Z')] }), slotAt('2026-06-02T15:00:00Z')],
    [null, open({ capacity: 2, busy: [slotAt('2026-06-02T15:00:00Z')] }), slotAt('2026-06-02T15:00:00Z')],
    [null, open({ busy: [slotAt('2026-06-02T16:00:00Z')] }), slotAt('2026-06-02T15:00:00Z')],
  ] as const)('says %s', (reason, calendar, slot) => {
    expect(whyNot(calendar as Calendar, slot, now)).toBe(reason);
  });

  it('crosses midnight where two days are open without a gap', () => {
    const always = open({ rules: [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, startMinute: 0, endMinute: 1440 })) });
    expect(whyNot(always, slotAt('2026-06-02T03:30:00Z'), now)).toBeNull();
  });

  it('fault 13: keeps the slot’s length over a spring-forward gap, and opens once on the day of an overlap', () => {
    const always = open({
      rules: [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, startMinute: 0, endMinute: 1440 })),
      horizonDays: 700,
    });
    const spring = [...listSlots(always, { from: at('2027-03-14T05:00:00Z'), to: at('2027-03-15T04:00:00Z'), durationMinutes: 60, now })];
    expect(spring).toHaveLength(23 * 4);
    for (const { start, end } of spring) expect(end - start).toBe(60 * minute);
    const autumn = [...listSlots(always, { from: at('2026-11-01T04:00:00Z'), to: at('2026-11-02T05:00:00Z'), durationMinutes: 60, now })];
    expect(autumn).toHaveLength(25 * 4);
    expect(new Set(autumn.map(({ start }) => start)).size).toBe(25 * 4);
  });

  it('List equals book: every listed slot can be booked, no other start can, for any calendar and zone', () => {
    const calendars = fc.record({
      zone: fc.constantFrom('America/New_York', 'Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'UTC', 'Pacific/Chatham'),
      hours: fc.array(
        fc.record({
          weekday: fc.integer({ min: 1, max: 7 }),
          from: fc.integer({ min: 0, max: 1400 }),
          length: fc.integer({ min: 15, max: 900 }),
        }),
        { maxLength: 8 },
      ),
      busy: fc.array(fc.record({ offset: fc.integer({ min: 0, max: 5 * 1440 }), length: fc.integer({ min: 15, max: 240 }) }), {
        maxLength: 6,
      }),
      capacity: fc.integer({ min: 1, max: 3 }),
      dailyCap: fc.option(fc.integer({ min: 1, max: 4 })),
      buffer: fc.integer({ min: 0, max: 45 }),
      notice: fc.integer({ min: 0, max: 2_000 }),
      start: fc.constantFrom('2026-03-07T12:00:00Z', '2026-10-24T12:00:00Z', '2026-10-31T12:00:00Z', '2028-02-28T00:00:00Z'),
      durationMinutes: fc.constantFrom(30, 60, 90),
    });
    fc.assert(
      fc.property(calendars, ({ zone, hours, busy, capacity, dailyCap, buffer, notice, start, durationMinutes }) => {
        const from = at(start);
        const calendar = open({
          zone,
          rules: hours.map(({ weekday, from: startMinute, length }) => ({
            weekday,
            startMinute,
            endMinute: Math.min(1440, startMinute + length),
          })),
          busy: busy.map(({ offset, length }) => ({ start: from + offset * minute, end: from + (offset + length) * minute })),
          capacity,
          dailyCap,
          bufferBeforeMinutes: buffer,
          bufferAfterMinutes: buffer,
          minimumNoticeMinutes: notice,
        });
        const to = from + 36 * 60 * minute;
        const starts = [...listSlots(calendar, { from, to, durationMinutes, now: from })].map((slot) => slot.start);
        const listed = new Set(starts);
        expect(starts).toHaveLength(listed.size);
        for (const start of listed) expect(whyNot(calendar, { start, end: start + durationMinutes * minute }, from)).toBeNull();
        for (let start = from; start < to; start += 5 * minute) {
          const bookable = whyNot(calendar, { start, end: start + durationMinutes * minute }, from) === null;
          if (bookable !== listed.has(start))
            throw new Error(`${new Date(start).toISOString()}: listed ${listed.has(start)}, bookable ${bookable}`);
        }
      }),
      { numRuns: 25, seed: 20261121 },
    );
  });
});
