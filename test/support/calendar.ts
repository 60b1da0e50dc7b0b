// Calendars for tests of the pure rules.
import fc from 'fast-check';
import { occupiedBy, type Calendar, type DatedException, type WeeklyRule } from '../../src/domain/calendar/availability.ts';

export const minute = 60_000;
export const day = 1_440 * minute;

export const everyDay = (startMinute: number, endMinute: number): WeeklyRule[] =>
  [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, startMinute, endMinute }));

/** A calendar that is open from nine to five, without bookings. */
export const open = (more: Partial<Calendar> = {}): Calendar => ({
  zone: 'America/New_York',
  rules: everyDay(9 * 60, 17 * 60),
  exceptions: [],
  minimumNoticeMinutes: 0,
  horizonDays: 60,
  dailyCap: null,
  capacity: 1,
  bufferBeforeMinutes: 0,
  bufferAfterMinutes: 0,
  busy: [],
  booked: [],
  ...more,
});

/** Zones that change their clocks at unusual times or by unusual amounts, or that have odd offsets. */
export const zones = [
  'America/New_York',
  'America/St_Johns',
  'America/Havana',
  'America/Santiago',
  'America/Nuuk',
  'Europe/Berlin',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Jerusalem',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Antarctica/Troll',
];
/** Days before the clocks change in one of the zones, and the leap day. */
const moments = [
  '2026-03-07T11:07:00Z',
  '2026-03-28T12:00:00Z',
  '2026-04-03T13:30:00Z',
  '2026-10-24T12:00:00Z',
  '2026-10-31T12:00:00Z',
  '2028-02-28T00:00:00Z',
];

export interface Generated {
  calendar: Calendar;
  now: number;
  durationMinutes: number;
}

/** Weekly hours that the API accepts: in order, without overlaps, in steps of five minutes. */
const dayHours = (more: { maxLength: number }) =>
  fc.uniqueArray(fc.integer({ min: 0, max: 288 }), { ...more, minLength: 0 }).map((edges) => {
    const sorted = edges.toSorted((a, b) => a - b).map((edge) => edge * 5);
    return Array.from({ length: Math.floor(sorted.length / 2) }, (_, n) => ({
      startMinute: sorted[2 * n]!,
      endMinute: sorted[2 * n + 1]!,
    }));
  });

const week: fc.Arbitrary<WeeklyRule[]> = fc
  .tuple(
    ...Array.from({ length: 7 }, () =>
      fc.oneof(
        { weight: 1, arbitrary: fc.constant([{ startMinute: 0, endMinute: 1440 }]) },
        { weight: 3, arbitrary: dayHours({ maxLength: 6 }) },
      ),
    ),
  )
  .map((days) => days.flatMap((hours, index) => hours.map((opening) => ({ weekday: index + 1, ...opening }))));

const exceptionsFrom = (now: number): fc.Arbitrary<DatedException[]> => {
  const date = fc.integer({ min: -1, max: 5 }).map((days) => new Date(now + days * day).toISOString().slice(0, 10));
  const closed = fc.tuple(date, fc.integer({ min: 0, max: 2 })).map(([fromDate, days]): DatedException => {
    const toDate = new Date(Date.parse(fromDate) + days * day).toISOString().slice(0, 10);
    return { kind: 'closed', fromDate, toDate, startMinute: null, endMinute: null };
  });
  const extra = fc
    .tuple(date, dayHours({ maxLength: 2 }))
    .map(([fromDate, [hours]]): DatedException | null => (hours ? { kind: 'extra', fromDate, toDate: fromDate, ...hours } : null));
  return fc
    .tuple(fc.array(closed, { maxLength: 1 }), fc.array(extra, { maxLength: 2 }))
    .map(([shut, more]) => [...shut, ...more.filter((one) => one !== null)]);
};

/**
 * Any calendar around the difficult moments. It includes bookings on seats that no longer exist, and busy times of the
 * provider's own calendars.
 */
export function calendars(zoneNames: readonly string[] = [...zones, 'UTC', 'Asia/Kathmandu']): fc.Arbitrary<Generated> {
  return fc.constantFrom(...moments).chain((moment) => {
    const now = Date.parse(moment);
    const buffer = fc.constantFrom(0, 0, 5, 20, 45);
    const booking = fc.record({
      offset: fc.integer({ min: -120, max: 6 * 1440 }),
      length: fc.integer({ min: 5, max: 240 }),
      before: buffer,
      after: buffer,
      seat: fc.integer({ min: 0, max: 3 }),
    });
    return fc
      .record({
        zone: fc.constantFrom(...zoneNames),
        rules: week,
        exceptions: exceptionsFrom(now),
        bookings: fc.array(booking, { maxLength: 14 }),
        appointments: fc.array(fc.record({ offset: fc.integer({ min: 0, max: 6 * 1440 }), length: fc.integer({ min: 1, max: 600 }) }), {
          maxLength: 2,
        }),
        capacity: fc.integer({ min: 1, max: 3 }),
        dailyCap: fc.option(fc.integer({ min: 1, max: 4 })),
        bufferBeforeMinutes: buffer,
        bufferAfterMinutes: buffer,
        minimumNoticeMinutes: fc.integer({ min: 0, max: 2_000 }),
        horizonDays: fc.integer({ min: 1, max: 6 }),
        durationMinutes: fc.constantFrom(5, 30, 60, 95, 1440),
      })
      .map(({ bookings, appointments, durationMinutes, ...calendar }): Generated => {
        const placed = bookings.map(({ offset, length, before, after, seat }) => {
          const slot = { start: now + offset * minute, end: now + (offset + length) * minute };
          return { slot, seat, occupied: occupiedBy({ bufferBeforeMinutes: before, bufferAfterMinutes: after }, slot) };
        });
        // The database allows no overlap on one seat.
        const kept = placed.filter(({ seat, occupied }, index) =>
          placed
            .slice(0, index)
            .every((other) => other.seat !== seat || other.occupied.end <= occupied.start || occupied.end <= other.occupied.start),
        );
        return {
          now,
          durationMinutes,
          calendar: {
            ...calendar,
            busy: [
              ...kept.map(({ occupied, seat }) => ({ ...occupied, seat })),
              ...appointments.map(({ offset, length }) => ({
                start: now + offset * minute,
                end: now + (offset + length) * minute,
                seat: null,
              })),
            ],
            booked: kept.map(({ slot }) => slot.start),
          },
        };
      });
  });
}
