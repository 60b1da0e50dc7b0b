// Tests reading in a thread. Starting a thread takes time, so these tests are not among the unit tests.
import { describe, expect, it } from '@jest/globals';
import { readBusy } from '../../src/integrations/calendar/reader.ts';
import { ics, utcText, vevent } from '../support/feed-server.ts';

const options = { zone: 'America/New_York', from: Date.parse('2026-03-01T00:00:00Z'), to: Date.parse('2028-03-01T00:00:00Z') };

describe('a calendar that is none', () => {
  it.each(['', 'BEGIN:VCALENDAR', '<html></html>'])('%p is refused', async (text) => {
    await expect(readBusy(text, options)).rejects.toMatchObject({ code: 'unreadable' });
  });
});

describe('a calendar that is not meant well', () => {
  const rule = (text: string, start = '20200101T000000Z') => ics(...vevent('UID:h', `DTSTART:${start}`, 'DURATION:PT1S', `RRULE:${text}`));
  const five = 5_000_000; // bytes, or about as many
  const hostile: [string, string][] = [
    ['a rule for every second', rule('FREQ=SECONDLY')],
    ['a rule that matches no day, ever', rule('FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30')],
    ['a rule that matches no second, ever', rule('FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30')],
    ['a step backwards', rule('FREQ=MINUTELY;INTERVAL=-1')],
    ['a series that began with the calendar', rule('FREQ=MINUTELY;COUNT=2000000000', '00010101T000000Z')],
    [
      'hundreds of series',
      ics(
        ...Array.from({ length: 600 }, (_, n) =>
          vevent(
            `UID:${n}`,
            `DTSTART:20200101T${String(n % 24).padStart(2, '0')}${String(n % 60).padStart(2, '0')}00Z`,
            'DURATION:PT1M',
            'RRULE:FREQ=HOURLY',
          ),
        ).flat(),
      ),
    ],
    [
      'a zone that changes every second',
      ics(
        'BEGIN:VTIMEZONE',
        'TZID:X 1',
        'BEGIN:STANDARD',
        'DTSTART:19700101T000000',
        'TZOFFSETFROM:+0000',
        'TZOFFSETTO:+0100',
        'RRULE:FREQ=SECONDLY',
        'END:STANDARD',
        'END:VTIMEZONE',
        ...vevent('UID:1', 'DTSTART;TZID="X 1":20260310T100000', 'DURATION:PT1H'),
      ),
    ],
    ['a length beyond all time', ics(...vevent('UID:1', 'DTSTART:20260310T100000Z', 'DURATION:P99999999999999W'))],
    ['components in components', `BEGIN:VCALENDAR\r\n${'BEGIN:VEVENT\r\n'.repeat(five / 14)}`],
    ['nothing but line ends', `BEGIN:VCALENDAR\r\n${'\n'.repeat(five)}`],
    ['one line', `BEGIN:VCALENDAR\r\nRRULE:${'A'.repeat(five)}`],
    ['one line in pieces', `BEGIN:VCALENDAR\r\nUID:${'\r\n a'.repeat(five / 4)}`],
    [
      'a list of exceptions',
      ics(...vevent('UID:1', 'DTSTART:20260310T100000Z', 'DURATION:PT1H', `EXDATE:${'20260310T100000,'.repeat(five / 16)}x`)),
    ],
    ['parameters without end', ics(...vevent('UID:1', `DTSTART${';X=Y'.repeat(five / 4)}:20260310T100000Z`))],
    ['quotes', ics(...vevent('UID:1', `DTSTART;X=${'"'.repeat(five)}:20260310T100000Z`))],
  ];

  it.each(hostile)('%s: refused in bounded time, while everybody else is served', async (_, text) => {
    let longest = 0;
    let last = performance.now();
    const pulse = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const began = performance.now();
    const outcome = await readBusy(text, options, { timeoutMs: 600 }).then(
      () => 'read',
      (error: { code: string }) => error.code,
    );
    clearInterval(pulse);
    expect(outcome).toMatch(/^(unreadable|too_complex|read)$/);
    if (/RRULE:FREQ|DURATION:P9/.test(text)) expect(outcome).toBe('too_complex');
    expect(performance.now() - began).toBeLessThan(15_000);
    // Without a thread of their own, most of these readings would never end.
    expect(longest).toBeLessThan(5_000);
  });

  it('more memory than a calendar needs is not given', async () => {
    const events = Array.from({ length: 60_000 }, (_, n) => vevent(`UID:${n}`, 'DTSTART:20260301T000000Z', 'DURATION:PT1S').join('\r\n'));
    await expect(readBusy(ics(events.join('\r\n')), options, { maxOldGenerationSizeMb: 32, timeoutMs: 120_000 })).rejects.toMatchObject({
      code: 'too_complex',
    });
  });

  it('a large but honest calendar is read', async () => {
    const events = Array.from({ length: 4_000 }, (_, n) =>
      vevent(`UID:${n}`, `DTSTART:${utcText(options.from + n * 3_600_000 * 4)}`, 'DURATION:PT1H', `DESCRIPTION:${'x'.repeat(400)}`),
    ).flat();
    expect(await readBusy(ics(...events), options, { timeoutMs: 120_000 })).toHaveLength(4_000);
  });

  it('the caller may stop it', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('stopped')), 100);
    await expect(readBusy(hostile[0]![1], options, {}, stop.signal)).rejects.toThrow('stopped');
  });
});
