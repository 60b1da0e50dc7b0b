import { describe, expect, it } from '@jest/globals';
import { DomainError } from '../../src/domain/errors.ts';
import { chosenSlot, clockOf, formatLocal, instantOf, isZone } from '../../src/domain/calendar/local-time.ts';

const iso = (at: number) => new Date(at).toISOString();
const read = (local: string, zone: string, disambiguation?: 'earlier' | 'later') =>
  iso(instantOf({ local, zone, disambiguation }, '/start/local'));
function refusal(work: () => unknown): DomainError {
  try {
    work();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a local time', () => {
  it.each([
    ['2026-07-01T09:30', 'America/New_York', '2026-07-01T13:30:00.000Z'],
    ['2026-07-01T09:30:15', 'UTC', '2026-07-01T09:30:15.000Z'],
    ['2026-07-01T09:30', 'Asia/Kathmandu', '2026-07-01T03:45:00.000Z'],
    ['2026-07-01T09:30', 'Pacific/Chatham', '2026-06-30T20:45:00.000Z'],
    ['2026-01-01T09:30', 'Australia/Lord_Howe', '2025-12-31T22:30:00.000Z'],
    ['2028-02-29T09:30', 'Europe/Berlin', '2028-02-29T08:30:00.000Z'],
    // Rules that changed: no daylight saving in Samoa since 2021, a new standard time in Greenland since 2023.
    ['2020-01-15T12:00', 'Pacific/Apia', '2020-01-14T22:00:00.000Z'],
    ['2026-01-15T12:00', 'Pacific/Apia', '2026-01-14T23:00:00.000Z'],
    ['2022-01-15T12:00', 'America/Nuuk', '2022-01-15T15:00:00.000Z'],
    ['2026-01-15T12:00', 'America/Nuuk', '2026-01-15T14:00:00.000Z'],
  ])('%s in %s is %s', (local, zone, instant) => {
    expect(read(local, zone)).toBe(instant);
  });

  it.each([
    ['2026-03-08T02:30', 'America/New_York', '2026-03-08T03:30', '2026-03-08T01:30'],
    ['2026-10-04T02:15', 'Australia/Lord_Howe', '2026-10-04T02:45', '2026-10-04T01:45'],
    ['2026-04-24T00:30', 'Africa/Cairo', '2026-04-24T01:30', '2026-04-23T23:30'],
    ['2026-09-27T02:50', 'Pacific/Chatham', '2026-09-27T03:50', '2026-09-27T01:50'],
    // A whole day.
    ['2011-12-30T09:00', 'Pacific/Apia', '2011-12-31T09:00', '2011-12-29T09:00'],
    ['1993-08-21T09:00', 'Pacific/Kwajalein', '1993-08-22T09:00', '1993-08-20T09:00'],
  ])('fault 13: %s in %s is skipped by the clocks and refused with %s and %s as suggestions', (local, zone, after, before) => {
    for (const disambiguation of [undefined, 'earlier', 'later'] as const) {
      expect(refusal(() => read(local, zone, disambiguation))).toMatchObject({
        code: 'local_time_gap',
        detail: { fields: [{ field: '/start/local', message: `does not exist in ${zone}: choose ${after} or ${before}` }] },
      });
    }
    expect(() => [read(before, zone), read(after, zone)]).not.toThrow();
  });

  it('fault 13: the clocks show it twice, and the earlier is meant unless the later is asked for', () => {
    expect(read('2026-11-01T01:30', 'America/New_York')).toBe('2026-11-01T05:30:00.000Z');
    expect(read('2026-11-01T01:30', 'America/New_York', 'earlier')).toBe('2026-11-01T05:30:00.000Z');
    expect(read('2026-11-01T01:30', 'America/New_York', 'later')).toBe('2026-11-01T06:30:00.000Z');
    expect(read('2026-04-05T01:45', 'Australia/Lord_Howe', 'later')).toBe('2026-04-04T15:15:00.000Z');
  });

  it.each([
    '2026-02-29T09:00',
    '2026-13-01T09:00',
    '2026-06-31T09:00',
    '2026-06-30T24:00',
    '2026-06-30T23:60',
    '2026-06-30T23:59:60',
    '2026-06-30T09:00Z',
    '2026-06-30T09:00+02:00',
    '2026-06-30T09:00[Europe/Berlin]',
    '2026-06-30',
    '9:00',
    '',
    '+012026-06-30T09:00',
    '0000-01-01T00:00',
    '1969-12-31T12:00',
    '9999-12-31T23:59',
  ])('fault 13: %j is refused as no time that exists', (local) => {
    expect(refusal(() => read(local, 'America/New_York'))).toMatchObject({
      code: 'validation_failed',
      detail: { fields: [{ field: '/start/local' }] },
    });
  });

  it('given a zone that has abbreviations or nothing behind its name, it is none', () => {
    for (const zone of ['Europe/Berlin', 'UTC', 'Etc/GMT+5', 'Asia/Kolkata', 'US/Pacific']) expect(isZone(zone)).toBe(true);
    for (const zone of ['', 'PST', 'IST', 'Mars/Olympus', '+02:00', 'Europe/Berlin ', 'local', '2']) expect(isZone(zone)).toBe(false);
  });
});

describe('the slot that a body names', () => {
  const current = { startsAt: '2026-03-01T14:00:00.000Z', endsAt: '2026-03-01T15:30:00.000Z', zone: 'America/New_York' };

  it('keeps the length when only a start is given, also across a change of the clocks', () => {
    expect(chosenSlot({ start: { local: '2026-03-08T01:00', zone: 'America/New_York' } }, current)).toEqual({
      startsAt: '2026-03-08T06:00:00.000Z',
      endsAt: '2026-03-08T07:30:00.000Z',
      zone: 'America/New_York',
    });
  });

  it('is written in UTC, whatever offset was sent', () => {
    const slot = { startsAt: '2026-03-08T10:00:00+01:00', endsAt: '2026-03-08T11:00:00+01:00', zone: 'Europe/Berlin' };
    expect(chosenSlot({ slot }, current)).toEqual({
      startsAt: '2026-03-08T09:00:00.000Z',
      endsAt: '2026-03-08T10:00:00.000Z',
      zone: 'Europe/Berlin',
    });
    expect(chosenSlot({}, current)).toEqual(current);
  });

  it.each([
    ['an end before the start', { startsAt: '2026-03-08T10:00:00Z', endsAt: '2026-03-08T09:00:00Z', zone: 'UTC' }],
    ['no length', { startsAt: '2026-03-08T10:00:00Z', endsAt: '2026-03-08T10:00:00Z', zone: 'UTC' }],
    ['an instant that UTC cannot name', { startsAt: '9999-12-31T20:00:00-05:00', endsAt: '9999-12-31T23:00:00-05:00', zone: 'UTC' }],
    ['the year 0', { startsAt: '0000-01-01T00:00:00Z', endsAt: '0000-01-01T01:00:00Z', zone: 'UTC' }],
  ])('fault 13: given %s, it is refused', (_what, slot) => {
    expect(refusal(() => chosenSlot({ slot }, current)).code).toBe('validation_failed');
  });

  it('given both, which one is meant is not guessed', () => {
    expect(refusal(() => chosenSlot({ slot: current, start: { local: '2026-03-08T01:00', zone: 'UTC' } }, current))).toMatchObject({
      code: 'validation_failed',
      detail: { fields: [{ field: '/start' }] },
    });
  });
});

describe('a zone’s clock', () => {
  it('writes instants with the offset of their moment', () => {
    const [from, to] = [Date.parse('2026-01-01T00:00:00Z'), Date.parse('2026-12-31T00:00:00Z')];
    const show = (instant: string, zone: string) => formatLocal(Date.parse(instant), clockOf(zone, from, to));
    expect(show('2026-07-01T13:30:00Z', 'America/New_York')).toBe('2026-07-01T09:30:00-04:00');
    expect(show('2026-12-01T13:30:00Z', 'America/St_Johns')).toBe('2026-12-01T10:00:00-03:30');
    expect(show('2026-07-01T13:30:00Z', 'Asia/Kathmandu')).toBe('2026-07-01T19:15:00+05:45');
    expect(show('2026-07-01T13:30:00Z', 'UTC')).toBe('2026-07-01T13:30:00+00:00');
    expect(show('2026-01-01T00:30:00Z', 'America/Los_Angeles')).toBe('2025-12-31T16:30:00-08:00');
  });
});
