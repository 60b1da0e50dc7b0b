import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { reminderTimes } from '../../src/domain/calendar/quiet-hours.ts';

const hour = 3_600_000;
const night = { fromMinute: 21 * 60, toMinute: 8 * 60 };
const newYork = 'America/New_York';
const due = (startsAt: string, zone: string, beforeHours: number[], quietHours = night) =>
  reminderTimes({ startsAt, zone }, { reminderBeforeMs: beforeHours.map((hours) => hours * hour), quietHours });

describe('when people are reminded', () => {
  it.each([
    ['in the day, as planned', '2026-06-10T20:00:00Z', ['2026-06-09T20:00:00Z', '2026-06-10T18:00:00Z']],
    ['not at night: the evening before', '2026-06-10T13:00:00Z', ['2026-06-09T13:00:00Z', '2026-06-10T01:00:00Z']],
    ['quiet hours end when they end', '2026-06-10T14:00:00Z', ['2026-06-09T14:00:00Z', '2026-06-10T12:00:00Z']],
    ['and begin when they begin', '2026-06-11T03:00:00Z', ['2026-06-10T01:00:00Z', '2026-06-11T01:00:00Z']],
  ])('%s', (_what, startsAt, expected) => {
    expect(due(startsAt, newYork, [24, 2])).toEqual(expected);
  });

  it('over the clocks put forward: the evening before is an hour nearer', () => {
    // 9 am on March 8: two hours before is 7 am summer time, and nine in the evening was winter time.
    expect(due('2026-03-08T13:00:00Z', newYork, [2])).toEqual(['2026-03-08T02:00:00Z']);
  });

  it('over the clocks put back: the evening before is an hour further away', () => {
    expect(due('2026-11-01T14:30:00Z', newYork, [2])).toEqual(['2026-11-01T01:00:00Z']);
  });

  it('a day before, by the clock of the day: 24 hours are 24 hours', () => {
    expect(due('2026-03-08T16:00:00Z', newYork, [24])).toEqual(['2026-03-07T16:00:00Z']);
  });

  it('quiet hours within a day, and none', () => {
    expect(due('2026-06-10T19:00:00Z', newYork, [2], { fromMinute: 12 * 60, toMinute: 14 * 60 })).toEqual(['2026-06-10T16:00:00Z']);
    expect(due('2026-06-10T07:00:00Z', newYork, [2], { fromMinute: 0, toMinute: 0 })).toEqual(['2026-06-10T05:00:00Z']);
  });

  const zones = [
    newYork,
    'Europe/Berlin',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'America/Santiago',
    'Africa/Cairo',
    'Pacific/Apia',
    'UTC',
  ];
  it('in any zone and at any time: never later than due, at most a night earlier, and never within quiet hours', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2030, 11, 31) }),
        fc.integer({ min: 0, max: 1439 }),
        fc.integer({ min: 0, max: 1439 }),
        fc.integer({ min: 0, max: 72 * 60 }),
        (zone, startMs, fromMinute, toMinute, beforeMinutes) => {
          const quietHours = { fromMinute, toMinute };
          const [text] = reminderTimes(
            { startsAt: new Date(startMs).toISOString(), zone },
            { reminderBeforeMs: [beforeMinutes * 60_000], quietHours },
          );
          const at = Date.parse(text!);
          const planned = startMs - beforeMinutes * 60_000;
          expect(at).toBeLessThanOrEqual(planned);
          expect(planned - at).toBeLessThanOrEqual(26 * hour);
          const { hour: h, minute } = Temporal.Instant.from(text!).toZonedDateTimeISO(zone);
          const local = h * 60 + minute;
          const isQuiet = fromMinute > toMinute ? local >= fromMinute || local < toMinute : local >= fromMinute && local < toMinute;
          if (at === planned) return expect(isQuiet && local !== fromMinute).toBe(false);
          // Sent earlier: at the moment they begin, or where the clocks skip that, at most an hour before, midnight or not.
          expect((fromMinute - local + 1_440) % 1_440).toBeLessThanOrEqual(60);
        },
      ),
      // The clocks of Santiago skip the first hour of that day.
      { numRuns: 2_000, examples: [['America/Santiago', 1_883_016_000_000, 1, 0, 0]] },
    );
  });
});
