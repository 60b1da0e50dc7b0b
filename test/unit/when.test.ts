import { describe, expect, it } from '@jest/globals';
import { resolveWhen } from '../../src/integrations/llm/offline/when.ts';
import { formatWindow, moveToZone } from '../../src/integrations/llm/window.ts';

// Friday, 10:00 in New York.
const now = '2026-11-20T15:00:00Z';
const zone = 'America/New_York';

const read = async (phrase: string, more: Partial<Parameters<typeof resolveWhen>[1]> = {}) => {
  const reading = await resolveWhen(phrase, { now, zone, ...more });
  if (reading.kind === 'window') return formatWindow(reading.window, now);
  return reading.kind === 'ambiguous' ? `${reading.reason}: ${reading.options.map(({ label }) => label).join(' | ')}` : reading.kind;
};

describe('a phrase becomes a window in the zone of the person', () => {
  it.each([
    ['asap', 'Fri, Nov 20, 10 am–2 pm'],
    ['as soon as possible please', 'Fri, Nov 20, 10 am–2 pm'],
    ['right now', 'Fri, Nov 20, 10 am–2 pm'],
    ['urgent! tomorrow morning', 'Sat, Nov 21, 8 am–12 pm'],
    ['today', 'Fri, Nov 20, 10 am–midnight'],
    ['tomorrow', 'Sat, Nov 21, any time'],
    ['tmrw at 3pm', 'Sat, Nov 21, 3 pm'],
    ['the day after tomorrow', 'Sun, Nov 22, any time'],
    ['tomorrow afternoon', 'Sat, Nov 21, 12–5 pm'],
    ['tomorrow between 2 and 4', 'Sat, Nov 21, 2–4 pm'],
    ['between 2 and 4 tomorrow', 'Sat, Nov 21, 2–4 pm'],
    ['tomorrow 2-4pm', 'Sat, Nov 21, 2–4 pm'],
    ['tomorrow 9–11', 'Sat, Nov 21, 9–11 am'],
    ['11 to 1pm', 'Fri, Nov 20, 11 am–1 pm'],
    ['9 to 5 monday', 'Mon, Nov 23, 9 am–5 pm'],
    ['1st of december between 10am and noon', 'Tue, Dec 1, 10 am–12 pm'],
    ['this weekend', 'Sat, Nov 21 – Sun, Nov 22'],
    ['next monday morning', 'Mon, Nov 23, 8 am–12 pm'],
    ['Monday next week', 'Mon, Nov 23, any time'],
    ['next week', 'Mon, Nov 23 – Sun, Nov 29'],
    ['early next week', 'Mon, Nov 23 – Wed, Nov 25'],
    ['a week from friday', 'Fri, Nov 27, any time'],
    ['monday or tuesday', 'Mon, Nov 23 – Tue, Nov 24'],
    ['monday to wednesday after 5', 'Mon, Nov 23, 5 pm – Wed, Nov 25, 10 pm'],
    ['within the next 3 days', 'Fri, Nov 20, 10 am – Mon, Nov 23'],
    ['in 3 days', 'Mon, Nov 23, any time'],
    ['in two hours', 'Fri, Nov 20, 12–1 pm'],
    ['within 2 hours', 'Fri, Nov 20, 10 am–12 pm'],
    ['tuesday at 10 for 3 hours', 'Tue, Nov 24, 10 am'],
    ['at five pm', 'Fri, Nov 20, 5 pm'],
    ['half past three', 'Fri, Nov 20, 3:30 pm'],
    ['quarter to 5 in the evening', 'Fri, Nov 20, 4:45 pm'],
    ['tomorrow at quarter past 10 in the morning', 'Sat, Nov 21, 10:15 am'],
    ['evening 4:45', 'Fri, Nov 20, 4:45 pm'],
    ['one in the afternoon', 'Fri, Nov 20, 1 pm'],
    ['18:00 on the 4th', 'Fri, Dec 4, 6 pm'],
    ['the 7th at 4 pm', 'Mon, Dec 7, 4 pm'],
    ['at 14h', 'Fri, Nov 20, 2 pm'],
    ['around 3', 'Fri, Nov 20, 2–4 pm'],
    ['after 3pm', 'Fri, Nov 20, 3–10 pm'],
    ['before 5pm tomorrow', 'Sat, Nov 21, 8 am–5 pm'],
    ['tonight at 8', 'Fri, Nov 20, 8 pm'],
    ['Dec 3rd at 3pm', 'Thu, Dec 3, 3 pm'],
    ['12/3', 'Thu, Dec 3, any time'],
    ['2026-12-03', 'Thu, Dec 3, any time'],
    ['2026-12-03T15:00:00-05:00', 'Thu, Dec 3, 3 pm'],
    ['on may 3', 'Mon, May 3, 2027, any time'],
    ['whenever', 'Fri, Nov 20, 10 am – Fri, Nov 27, 10 am'],
  ])('%s → %s', async (phrase, expected) => {
    expect(await read(phrase)).toBe(expected);
  });

  it('asap is exactly the next four hours', async () => {
    const reading = await resolveWhen('asap', { now, zone });
    expect(reading).toEqual({ kind: 'window', window: { from: '2026-11-20T15:00:00Z', to: '2026-11-20T19:00:00Z', zone } });
  });

  it('the same words mean other instants in another zone', async () => {
    const reading = await resolveWhen('tomorrow at 3pm', { now, zone: 'Asia/Tokyo' });
    expect(reading).toMatchObject({ window: { from: '2026-11-22T06:00:00Z', zone: 'Asia/Tokyo' } });
  });
});

describe('what could mean two things is asked', () => {
  it.each([
    ['tomorrow at 7', 'ambiguous: Sat, Nov 21, 7 am | Sat, Nov 21, 7 pm'],
    ['friday', 'ambiguous: Fri, Nov 20, 10 am–midnight | Fri, Nov 27, any time'],
    ['next weekend', 'ambiguous: Sat, Nov 21 – Sun, Nov 22 | Sat, Nov 28 – Sun, Nov 29'],
    ['monday or thursday', 'ambiguous: Mon, Nov 23, any time | Thu, Nov 26, any time'],
  ])('%s → %s', async (phrase, expected) => {
    expect(await read(phrase)).toBe(expected);
  });

  it('next friday on a tuesday is this week or next', async () => {
    expect(await read('next friday', { now: '2026-11-17T15:00:00Z' })).toBe('ambiguous: Fri, Nov 20, any time | Fri, Nov 27, any time');
  });

  it('3/4 has one order in America and two elsewhere', async () => {
    expect(await read('3/4')).toBe('Thu, Mar 4, 2027, any time');
    expect(await read('3/4', { zone: 'Europe/Paris' })).toMatch(/^ambiguous: .*Apr 3.*Mar 4/);
  });
});

describe('the clock change is explicit', () => {
  it('a time that does not exist is not shifted silently', async () => {
    expect(await read('March 14 2:30am')).toBe('no_such_time: Sun, Mar 14, 2027, 1:30 am | Sun, Mar 14, 2027, 3:30 am');
  });

  it('a time that comes twice is asked, with the offsets', async () => {
    expect(await read('Nov 7 2027 1:30 am')).toBe(
      'ambiguous: Sun, Nov 7, 2027, 1:30 am (UTC-04:00) | Sun, Nov 7, 2027, 1:30 am (UTC-05:00)',
    );
  });

  it('a whole day over the change has 23 hours', async () => {
    const reading = await resolveWhen('2027-03-14', { now, zone });
    expect(reading).toMatchObject({ window: { from: '2027-03-14T05:00:00Z', to: '2027-03-15T04:00:00Z' } });
  });
});

describe('what has passed or says nothing', () => {
  it.each([['yesterday'], ['last friday'], ['today at 9am'], ['May 1 2020'], ['2020-01-01T10:00:00Z']])('%s is past', async (phrase) => {
    expect(await read(phrase)).toBe('past');
  });

  it.each([
    ['for two hours'],
    ['2/30'],
    ['june 31'],
    ['I have 2 kids'],
    ['the second one'],
    ['a sun lamp'],
    ['tomorrow at 25:00'],
    [''],
    ['$60'],
    ['since yesterday'],
    ['3 bedrooms'],
  ])('%s is no time', async (phrase) => {
    expect(await read(phrase)).toBe('unknown');
  });

  it('this morning, said in the evening, is past', async () => {
    expect(await read('this morning', { now: '2026-11-20T23:00:00Z' })).toBe('past');
  });
});

describe('a phrase that completes what is known', () => {
  const previous = { from: '2026-11-25T15:00:00Z', to: '2026-11-25T17:00:00Z', zone };

  it.each([
    ['no, at 5pm', 'Wed, Nov 25, 5 pm'],
    ['thursday instead', 'Thu, Nov 26, 10 am–12 pm'],
    ['make it the 8th of march', 'Mon, Mar 8, 2027, 10 am–12 pm'],
  ])('%s → %s', async (phrase, expected) => {
    expect(await read(phrase, { previous })).toBe(expected);
  });

  it('a bare number is a time only when a time was asked for', async () => {
    expect(await read('5', { previous, expected: true })).toBe('Wed, Nov 25, 5 pm');
    expect(await read('5', { previous })).toBe('unknown');
  });

  it('a window keeps its place on the clock when it moves to another zone', () => {
    expect(moveToZone(previous, 'America/Los_Angeles')).toEqual({
      from: '2026-11-25T18:00:00Z',
      to: '2026-11-25T20:00:00Z',
      zone: 'America/Los_Angeles',
    });
  });
});
