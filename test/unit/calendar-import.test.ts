import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import ICAL from 'ical.js';
import { busyTimes } from '../../src/integrations/calendar/busy.ts';
import { ics, utcText, vevent } from '../support/feed-server.ts';

const day = 86_400_000;
const options = { zone: 'America/New_York', from: Date.parse('2026-03-01T00:00:00Z'), to: Date.parse('2028-03-01T00:00:00Z') };

/** `2026-03-02T14:00Z/15:00`, or with both dates. */
const busy = (text: string, more: Partial<typeof options> = {}) =>
  busyTimes(text, { ...options, ...more }).map(({ start, end }) => {
    const [from, to] = [new Date(start).toISOString(), new Date(end).toISOString()];
    return `${from.slice(0, 16)}Z/${to.slice(0, 10) === from.slice(0, 10) ? to.slice(11, 16) : to.slice(0, 16)}`;
  });

const berlin = [
  'BEGIN:VTIMEZONE',
  'TZID:Europe/Berlin',
  'X-LIC-LOCATION:Europe/Berlin',
  'BEGIN:DAYLIGHT',
  'TZOFFSETFROM:+0100',
  'TZOFFSETTO:+0200',
  'TZNAME:CEST',
  'DTSTART:19700329T020000',
  'RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU',
  'END:DAYLIGHT',
  'BEGIN:STANDARD',
  'TZOFFSETFROM:+0200',
  'TZOFFSETTO:+0100',
  'TZNAME:CET',
  'DTSTART:19701025T030000',
  'RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU',
  'END:STANDARD',
  'END:VTIMEZONE',
];
/** As Outlook names and defines it. */
const windows = berlin.map((line) => line.replace('TZID:Europe/Berlin', 'TZID:W. Europe Standard Time'));

describe('busy times of a calendar', () => {
  it('one exported by Google: a series over a change of the clocks, without what was left out, with what was moved', () => {
    const text = ics(
      'METHOD:PUBLISH',
      'X-WR-CALNAME:me@example.com',
      'X-WR-TIMEZONE:Europe/Berlin',
      ...berlin,
      ...vevent(
        'UID:a@google.com',
        'DTSTART;TZID=Europe/Berlin:20260318T090000',
        'DTEND;TZID=Europe/Berlin:20260318T100000',
        'RRULE:FREQ=WEEKLY;UNTIL=20260409T215959Z;BYDAY=WE,FR',
        'EXDATE;TZID=Europe/Berlin:20260320T090000',
        'SUMMARY:Something private\\, with a comma',
        'DESCRIPTION:and a text that is',
        '  folded: BEGIN:VEVENT',
        'ATTENDEE;CN="A; B":mailto:a@example.com',
        'BEGIN:VALARM',
        'TRIGGER:-P0DT0H10M0S',
        'DURATION:PT5M',
        'REPEAT:2',
        'ACTION:DISPLAY',
        'END:VALARM',
      ),
      ...vevent(
        'UID:a@google.com',
        'RECURRENCE-ID;TZID=Europe/Berlin:20260401T090000',
        'DTSTART;TZID=Europe/Berlin:20260402T120000',
        'DTEND;TZID=Europe/Berlin:20260402T140000',
      ),
      ...vevent(
        'UID:a@google.com',
        'RECURRENCE-ID;TZID=Europe/Berlin:20260403T090000',
        'STATUS:CANCELLED',
        'DTSTART;TZID=Europe/Berlin:20260403T090000',
      ),
    );
    // The clocks change on March 29.
    expect(busy(text)).toEqual([
      '2026-03-18T08:00Z/09:00',
      '2026-03-25T08:00Z/09:00',
      '2026-03-27T08:00Z/09:00',
      '2026-04-02T10:00Z/12:00',
      '2026-04-08T07:00Z/08:00',
    ]);
  });

  it('one published by Outlook: its own names of zones, by their definition in the file', () => {
    const zone = 'TZID="W. Europe Standard Time"';
    const event = vevent('UID:o', `DTSTART;${zone}:20260327T090000`, `DTEND;${zone}:20260327T093000`, 'RRULE:FREQ=DAILY;COUNT=4');
    expect(busy(ics(...windows, ...event))).toEqual([
      '2026-03-27T08:00Z/08:30',
      '2026-03-28T08:00Z/08:30',
      '2026-03-29T07:00Z/07:30',
      '2026-03-30T07:00Z/07:30',
    ]);
  });

  it.each([
    ['a name of IANA without a definition', 'DTSTART;TZID=Asia/Kathmandu:20260310T090000', '2026-03-10T03:15Z/04:15'],
    ['a name with a prefix', 'DTSTART;TZID=/freeassociation.sourceforge.net/Asia/Kathmandu:20260310T090000', '2026-03-10T03:15Z/04:15'],
    ['UTC', 'DTSTART:20260310T090000Z', '2026-03-10T09:00Z/10:00'],
    ['no zone: the clock of the provider', 'DTSTART:20260310T090000', '2026-03-10T13:00Z/14:00'],
    ['a zone nobody knows: the clock of the provider', 'DTSTART;TZID=Somewhere/Else:20260310T090000', '2026-03-10T13:00Z/14:00'],
  ])('a time in %s', (_, start, expected) => {
    expect(busy(ics(...vevent('UID:z', start, 'DURATION:PT1H')))).toEqual([expected]);
  });

  it.each([
    ['one day', ['DTSTART;VALUE=DATE:20260310'], '2026-03-10T04:00Z/2026-03-11T04:00'],
    ['the day the clocks go forward', ['DTSTART;VALUE=DATE:20260308', 'DTEND;VALUE=DATE:20260309'], '2026-03-08T05:00Z/2026-03-09T04:00'],
    ['several days', ['DTSTART;VALUE=DATE:20260307', 'DTEND;VALUE=DATE:20260310'], '2026-03-07T05:00Z/2026-03-10T04:00'],
    ['a duration of days', ['DTSTART;VALUE=DATE:20260307', 'DURATION:P3D'], '2026-03-07T05:00Z/2026-03-10T04:00'],
  ])('all-day events are days of the provider: %s', (_, lines, expected) => {
    expect(busy(ics(...vevent('UID:d', ...lines)))).toEqual([expected]);
  });

  it('given a night over a change of the clocks, DTEND means its length and DURATION the clock on the wall', () => {
    const night = (end: string) =>
      busy(ics(...vevent('UID:n', 'DTSTART;TZID=America/New_York:20260306T220000', end, 'RRULE:FREQ=DAILY;COUNT=2')));
    expect(night('DTEND;TZID=America/New_York:20260307T060000')).toEqual(['2026-03-07T03:00Z/11:00', '2026-03-08T03:00Z/11:00']);
    expect(night('DURATION:P1D')).toEqual(['2026-03-07T03:00Z/2026-03-09T02:00']);
  });

  const series = (...lines: string[]) => vevent('UID:s', 'DTSTART;TZID=America/New_York:20260302T090000', 'DURATION:PT30M', ...lines);
  it.each([
    ['COUNT', ['RRULE:FREQ=DAILY;COUNT=2'], ['2026-03-02T14:00Z/14:30', '2026-03-03T14:00Z/14:30']],
    ['UNTIL as an instant', ['RRULE:FREQ=DAILY;UNTIL=20260303T140000Z'], ['2026-03-02T14:00Z/14:30', '2026-03-03T14:00Z/14:30']],
    ['UNTIL as an instant, a second earlier', ['RRULE:FREQ=DAILY;UNTIL=20260303T135959Z'], ['2026-03-02T14:00Z/14:30']],
    ['UNTIL as a date', ['RRULE:FREQ=DAILY;UNTIL=20260303'], ['2026-03-02T14:00Z/14:30', '2026-03-03T14:00Z/14:30']],
    ['UNTIL as a local time', ['RRULE:FREQ=DAILY;UNTIL=20260303T090000'], ['2026-03-02T14:00Z/14:30', '2026-03-03T14:00Z/14:30']],
    ['EXDATE as an instant', ['RRULE:FREQ=DAILY;COUNT=2', 'EXDATE:20260302T140000Z'], ['2026-03-03T14:00Z/14:30']],
    ['EXDATE as a day', ['RRULE:FREQ=DAILY;COUNT=2', 'EXDATE;VALUE=DATE:20260303'], ['2026-03-02T14:00Z/14:30']],
    ['several EXDATEs', ['RRULE:FREQ=DAILY;COUNT=3', 'EXDATE:20260302T140000Z,20260303T140000Z'], ['2026-03-04T14:00Z/14:30']],
    ['RDATE', ['RDATE;TZID=America/New_York:20260309T090000'], ['2026-03-02T14:00Z/14:30', '2026-03-09T13:00Z/13:30']],
    ['RDATE as a period', ['RDATE;VALUE=PERIOD:20260305T100000Z/PT3H'], ['2026-03-02T14:00Z/14:30', '2026-03-05T10:00Z/13:00']],
    [
      'the last Friday',
      ['RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=2'],
      ['2026-03-02T14:00Z/14:30', '2026-03-27T13:00Z/13:30', '2026-04-24T13:00Z/13:30'],
    ],
  ])('a series with %s', (_, lines, expected) => expect(busy(ics(...series(...lines)))).toEqual(expected));

  it('a change of this and all later occurrences moves them all', () => {
    const change = vevent(
      'UID:s',
      'RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=America/New_York:20260303T090000',
      'DTSTART;TZID=America/New_York:20260303T110000',
      'DURATION:PT1H',
    );
    expect(busy(ics(...series('RRULE:FREQ=DAILY;COUNT=3'), ...change))).toEqual([
      '2026-03-02T14:00Z/14:30',
      '2026-03-03T16:00Z/17:00',
      '2026-03-04T16:00Z/17:00',
    ]);
  });

  it('given only the changed occurrence of a series that began elsewhere, it counts', () => {
    const change = vevent('UID:x', 'RECURRENCE-ID:20260302T140000Z', 'DTSTART:20260302T150000Z', 'DURATION:PT1H');
    expect(busy(ics(...change))).toEqual(['2026-03-02T15:00Z/16:00']);
  });

  it.each([
    ['marked as free', ['TRANSP:TRANSPARENT']],
    ['cancelled', ['STATUS:CANCELLED']],
    ['without a length', ['DURATION:PT0S']],
    ['that ends before it begins', ['DURATION:-PT1H']],
    ['long past', ['DTSTART:20200101T000000Z']],
    ['far away', ['DTSTART:20400101T000000Z']],
  ])('an event %s keeps nobody busy', (_, lines) => {
    const event = ['UID:f', 'DTSTART:20260310T100000Z', 'DURATION:PT1H'].filter(
      (line) => !lines.some((other) => other.startsWith(line.slice(0, 7))),
    );
    expect(busy(ics(...vevent(...event, ...lines)))).toEqual([]);
  });

  it('our own bookings on their way back keep nobody busy: a moved one would stand in its own way', () => {
    const own = vevent('UID:0f0e0d0c-0000-4000-8000-000000000000@booking.proxie', 'DTSTART:20260310T100000Z', 'DURATION:PT1H');
    expect(busy(ics(...own))).toEqual([]);
  });

  it('busy times that overlap or touch are one, and those at the edge are cut', () => {
    const event = (start: string, length: string) => vevent(`UID:${start}`, `DTSTART:${start}`, `DURATION:${length}`);
    const text = ics(
      ...event('20260310T100000Z', 'PT2H'),
      ...event('20260310T110000Z', 'PT2H'),
      ...event('20260310T130000Z', 'PT1H'),
      ...event('20260201T000000Z', 'P30D'),
    );
    expect(busy(text)).toEqual(['2026-03-01T00:00Z/2026-03-03T00:00', '2026-03-10T10:00Z/14:00']);
  });

  it('several calendars in one text count together; an empty one is empty', () => {
    const one = ics(...vevent('UID:1', 'DTSTART:20260310T100000Z', 'DURATION:PT1H'));
    expect(busy(`${one}${one.replace('T10', 'T15')}`)).toEqual(['2026-03-10T10:00Z/11:00', '2026-03-10T15:00Z/16:00']);
    expect(busy(ics())).toEqual([]);
    expect(busy(`\ufeff${ics().replaceAll('\r\n', '\n')}\n\n`)).toEqual([]);
  });

  it('what is broken in a part that nobody reads breaks nothing', () => {
    const text = ics(
      'BEGIN:VTODO',
      'garbage without a colon',
      'BEGIN:VALARM',
      'DTSTART:nonsense',
      'END:VALARM',
      'END:VTODO',
      'X-\u0007:odd',
      ...vevent('UID:1', 'SUMMARY', 'GEO:x;y;z', 'DTSTART:20260310T100000Z', 'DURATION:PT1H'),
    );
    expect(busy(text)).toEqual(['2026-03-10T10:00Z/11:00']);
  });

  it('given any start and rule, jumping to where the series comes near finds what walking there finds', () => {
    const rule = fc.record({
      freq: fc.constantFrom('HOURLY', 'DAILY', 'WEEKLY'),
      interval: fc.integer({ min: 1, max: 5 }),
      byday: fc.subarray(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']),
      daysAgo: fc.integer({ min: 0, max: 150 }),
      minute: fc.integer({ min: 0, max: 1439 }),
    });
    fc.assert(
      fc.property(rule, ({ freq, interval, byday, daysAgo, minute }) => {
        const start = options.from - daysAgo * day + minute * 60_000;
        const parts = `FREQ=${freq};INTERVAL=${interval}${byday.length ? `;BYDAY=${byday.join(',')}` : ''}`;
        const window = { zone: 'UTC', from: options.from, to: options.from + 21 * day };
        const found = busyTimes(ics(...vevent('UID:p', `DTSTART:${utcText(start)}`, 'DURATION:PT20M', `RRULE:${parts}`)), window);
        const walked: number[] = [];
        const walk = ICAL.Recur.fromString(parts).iterator(ICAL.Time.fromJSDate(new Date(start), true));
        for (let next = walk.next(); next && next.toUnixTime() * 1_000 < window.to; next = walk.next())
          walked.push(next.toUnixTime() * 1_000);
        const expected = [...new Set([start, ...walked])].filter((at) => at + 20 * 60_000 > window.from).sort((a, b) => a - b);
        expect(found.map((block) => Math.max(block.start, window.from))).toEqual(expected.map((at) => Math.max(at, window.from)));
      }),
      { numRuns: 50 },
    );
  });
});

describe('what is no calendar is refused, never taken for an empty one', () => {
  const whole = ics(...vevent('UID:1', 'DTSTART:20260310T100000Z', 'DURATION:PT1H'));
  it.each([
    ['nothing', ''],
    ['blanks', '\r\n \r\n'],
    ['a page', '<!doctype html><html><body>Sign in</body></html>'],
    ['an error in JSON', '{"error":"not found"}'],
    ['the beginning', whole.slice(0, whole.length / 2)],
    ['all but its end', whole.replace('END:VCALENDAR\r\n', '')],
    ['an event without its calendar', vevent('UID:1').join('\r\n')],
    ['ends in the wrong order', whole.replace('END:VEVENT', 'END:VCALENDAR')],
    ['something behind its end', `${whole}<script>`],
    ['null bytes', `${whole}\0\0\0`],
    ['an address book', 'BEGIN:VCARD\r\nEND:VCARD\r\n'],
    ['an event without a start', ics('BEGIN:VEVENT', 'UID:1', 'END:VEVENT')],
    ['a date that is none', ics(...vevent('UID:1', 'DTSTART:tomorrow', 'DURATION:PT1H'))],
    ['a rule that is none', ics(...vevent('UID:1', 'DTSTART:20260310T100000Z', 'DURATION:PT1H', 'RRULE:FREQ=SOMETIMES'))],
    ['a length that is none', ics(...vevent('UID:1', 'DTSTART:20260310T100000Z', 'DURATION:long'))],
  ])('%s', (_, text) => expect(() => busyTimes(text, options)).toThrow());
});
