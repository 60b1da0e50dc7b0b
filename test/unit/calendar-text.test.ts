import { describe, expect, it } from '@jest/globals';
import ICAL from 'ical.js';
import { calendarText } from '../../src/api/routes/calendar-text.ts';
import type { FeedBooking } from '../../src/db/queries/calendar-feed.ts';

const booking: FeedBooking = {
  id: '6f1c1f0e-0b5c-4e0e-9a53-3a5b1f7d2c11',
  service: 'Leak repair, urgent',
  status: 'confirmed',
  startsAt: '2026-11-23T14:30:00.000Z',
  endsAt: '2026-11-23T15:30:00.000Z',
  createdAt: '2026-11-20T08:00:00.123Z',
  changedAt: '2026-11-21T09:10:11.999Z',
  seq: 4,
  address: '1 Main Street, 2nd floor; ring twice\nEND:VEVENT',
};
const text = (bookings: FeedBooking[], withAddress = false) => calendarText(bookings, { publicUrl: 'https://proxie.test', withAddress });

/** As another implementation reads it. */
const read = (calendar: string) =>
  new ICAL.Component(ICAL.parse(calendar) as never).getAllSubcomponents('vevent').map((event) => {
    const value = (name: string) => event.getFirstPropertyValue(name)?.toString() ?? null;
    return Object.fromEntries(
      ['uid', 'dtstart', 'dtend', 'dtstamp', 'last-modified', 'sequence', 'status', 'summary', 'description', 'location', 'url'].map(
        (name) => [name, value(name)],
      ),
    );
  });

describe('bookings as iCalendar', () => {
  it('another implementation reads what we wrote: instants in UTC, one stable id, how often and when it has changed', () => {
    expect(read(text([booking]))).toEqual([
      {
        uid: `${booking.id}@booking.proxie`,
        dtstart: '2026-11-23T14:30:00Z',
        dtend: '2026-11-23T15:30:00Z',
        dtstamp: '2026-11-21T09:10:11Z',
        'last-modified': '2026-11-21T09:10:11Z',
        sequence: '4',
        status: 'CONFIRMED',
        summary: 'Leak repair, urgent',
        description: `confirmed\nhttps://proxie.test/bookings/${booking.id}`,
        location: null,
        url: `https://proxie.test/bookings/${booking.id}`,
      },
    ]);
  });

  it('a hold is tentative, everything from confirmed on is not', () => {
    const [held, ...others] = read(
      text((['held', 'confirmed', 'in_progress', 'completed'] as const).map((status) => ({ ...booking, status }))),
    );
    expect(held).toMatchObject({ status: 'TENTATIVE', summary: 'Leak repair, urgent (not confirmed yet)' });
    expect(others.map(({ status }) => status)).toEqual(['CONFIRMED', 'CONFIRMED', 'CONFIRMED']);
  });

  it('an address that tries to be a line stays one value', () => {
    expect(read(text([booking], true))).toMatchObject([{ location: booking.address }]);
    expect(text([booking], true).match(/^END:VEVENT\r$/gm)).toHaveLength(1);
  });

  it('lines end in CRLF and hold 75 octets at most, without cutting a character in two', () => {
    const long = { ...booking, address: '🏠é€'.repeat(60) };
    const whole = text([long], true);
    expect(whole.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    for (const line of whole.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
    expect(whole).not.toContain('\ufffd');
    expect(read(whole)[0]!.location).toBe(long.address);
  });

  it('the same bookings are the same text, byte for byte, and none are an empty calendar', () => {
    expect(text([booking])).toBe(text([{ ...booking }]));
    expect(read(text([]))).toEqual([]);
    expect(text([])).toMatch(/^BEGIN:VCALENDAR\r\nVERSION:2\.0\r\nPRODID:.*\r\n[\s\S]*END:VCALENDAR\r\n$/);
  });
});
