// Bookings as iCalendar (RFC 5545). The same bookings give the same text, byte for byte.
import type { FeedBooking } from '../../db/queries/calendar-feed.ts';
import { feedUidSuffix } from '../../domain/calendar/import.ts';

export interface CalendarTextOptions {
  publicUrl: string;
  /** Whether to show the address: only to readers who have signed in. */
  withAddress: boolean;
}

/**
 * The bookings of a calendar feed as text. Id, position and time of the last change come from the booking's timeline, so a
 * calendar app changes its existing entry when it reads the feed again. The text leaves out cancelled and released bookings.
 */
export function calendarText(bookings: readonly FeedBooking[], { publicUrl, withAddress }: CalendarTextOptions): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Proxie//Bookings//EN',
    'CALSCALE:GREGORIAN',
    'X-WR-CALNAME:Proxie',
    'REFRESH-INTERVAL;VALUE=DURATION:PT1H',
    'X-PUBLISHED-TTL:PT1H',
    ...bookings.flatMap(({ id, service, status, startsAt, endsAt, createdAt, changedAt, seq, address }) => {
      const held = status === 'held';
      const link = `${publicUrl}/bookings/${id}`;
      return [
        'BEGIN:VEVENT',
        `UID:${id}${feedUidSuffix}`,
        // In a calendar without METHOD, DTSTAMP is the time of the last change, like LAST-MODIFIED.
        `DTSTAMP:${utc(changedAt)}`,
        `LAST-MODIFIED:${utc(changedAt)}`,
        `CREATED:${utc(createdAt)}`,
        `SEQUENCE:${seq}`,
        `DTSTART:${utc(startsAt)}`,
        `DTEND:${utc(endsAt)}`,
        `STATUS:${held ? 'TENTATIVE' : 'CONFIRMED'}`,
        'TRANSP:OPAQUE',
        'CLASS:PRIVATE',
        `SUMMARY:${escaped(service)}${held ? ' (not confirmed yet)' : ''}`,
        `DESCRIPTION:${escaped(`${status}\n${link}`)}`,
        `URL:${link}`,
        ...(withAddress && address ? [`LOCATION:${escaped(address)}`] : []),
        'END:VEVENT',
      ];
    }),
    'END:VCALENDAR',
    '',
  ];
  return lines.map(folded).join('\r\n');
}

/** `2026-11-21T10:00:00.000Z` → `20261121T100000Z` */
const utc = (instant: string): string => instant.replaceAll(/[-:]|\.\d+/g, '');

const escaped = (text: string): string =>
  text
    .replaceAll(/[\\;,]/g, '\\$&')
    .replaceAll(/\r\n?|\n/g, '\\n')
    .replaceAll(/[\x00-\x1f\x7f]/g, ' ');

const maxOctets = 75;

/** Folds a line at 75 octets, never within a character. */
function folded(line: string): string {
  if (Buffer.byteLength(line) <= maxOctets) return line;
  let result = '';
  let left = maxOctets;
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (size > left) {
      result += '\r\n ';
      left = maxOctets - 1;
    }
    result += character;
    left -= size;
  }
  return result;
}
