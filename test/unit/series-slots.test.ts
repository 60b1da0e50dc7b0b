import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { weeklyStarts } from '../../src/domain/series/slots.ts';

const refused = (code: string, detail: object = {}) => expect.objectContaining({ code, detail: expect.objectContaining(detail) });

describe('when occurrences are', () => {
  const newYork = (local: string) => ({ local, zone: 'America/New_York' });
  const hourIn = (zone: string) => (start: string) =>
    new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', weekday: 'short' }).format(new Date(start));

  it('weekly at 09:00 New York across the change of clocks in March and November keeps 09:00', () => {
    const spring = weeklyStarts(newYork('2027-03-01T09:00'), { everyWeeks: 1, count: 4 });
    expect(spring).toEqual([
      '2027-03-01T14:00:00.000Z',
      '2027-03-08T14:00:00.000Z',
      '2027-03-15T13:00:00.000Z',
      '2027-03-22T13:00:00.000Z',
    ]);
    const autumn = weeklyStarts(newYork('2026-10-26T09:00:00'), { everyWeeks: 2, count: 3 });
    expect(autumn.map(hourIn('America/New_York'))).toEqual(Array.from({ length: 3 }, () => 'Mon 09:00'));
  });

  it('for any zone, time and rhythm, every occurrence shows the same time and weekday on the wall, or the series is refused for its gap', () => {
    const zones = ['UTC', 'America/New_York', 'Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Apia', 'America/St_Johns'];
    const minutes = fc.integer({ min: Date.UTC(2026, 0, 1) / 60_000, max: Date.UTC(2029, 0, 1) / 60_000 });
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        minutes,
        fc.constantFrom(1, 2),
        fc.integer({ min: 2, max: 26 }),
        (zone, minute, everyWeeks, count) => {
          const local = new Date(minute * 60_000).toISOString().slice(0, 16);
          let starts: string[];
          try {
            starts = weeklyStarts({ local, zone }, { everyWeeks, count });
          } catch (error) {
            expect(error).toMatchObject({ code: 'local_time_gap' });
            return;
          }
          expect(starts).toHaveLength(count);
          expect(new Set(starts.map(hourIn(zone))).size).toBe(1);
          expect(starts).toEqual([...starts].sort());
        },
      ),
    );
  });

  it('given an occurrence falls where the clocks are put forward, it is refused, named, with times that exist', () => {
    const refusal = refused('local_time_gap', {
      fields: [
        {
          field: '/first/local',
          message: expect.stringMatching(/^occurrence 2, 2027-03-14T02:30, .* choose 2027-03-14T03:30 or 2027-03-14T01:30$/),
        },
      ],
    });
    expect(() => weeklyStarts(newYork('2027-03-07T02:30'), { everyWeeks: 1, count: 3 })).toThrow(refusal);
  });

  it('given a time that comes twice, takes the one that is asked for, every time', () => {
    const twice = { ...newYork('2026-10-25T01:30'), disambiguation: 'later' as const };
    expect(weeklyStarts(twice, { everyWeeks: 1, count: 2 })[1]).toBe('2026-11-01T06:30:00.000Z');
    expect(weeklyStarts(newYork('2026-10-25T01:30'), { everyWeeks: 1, count: 2 })[1]).toBe('2026-11-01T05:30:00.000Z');
  });

  it('given a last day, counts up to it and includes it', () => {
    const until = (day: string) => weeklyStarts(newYork('2026-06-01T23:30'), { everyWeeks: 1, until: day }).length;
    expect([until('2026-06-08'), until('2026-06-14'), until('2026-06-15')]).toEqual([2, 2, 3]);
  });

  it.each([
    ['neither a count nor a last day', {}],
    ['both', { count: 3, until: '2026-07-01' }],
    ['a last day before the second', { until: '2026-06-07' }],
    ['a last day too far away', { until: '2027-06-07' }],
    ['a last day that is none', { until: '2026-02-30' }],
  ])('given %s, it is refused', (_, rhythm) => {
    expect(() => weeklyStarts(newYork('2026-06-01T09:00'), { everyWeeks: 1, ...rhythm })).toThrow(refused('validation_failed'));
  });

  it('given a first time without sense, it is refused', () => {
    expect(() => weeklyStarts(newYork('2026-02-30T09:00'), { everyWeeks: 1, count: 2 })).toThrow(refused('validation_failed'));
  });
});
