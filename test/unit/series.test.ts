import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SYSTEM, type Actor } from '../../src/domain/actor.ts';
import { DomainError } from '../../src/domain/errors.ts';
import { defaultPolicy } from '../../src/domain/policy.ts';
import { emptySeries, evolveSeries, nextSeriesStep } from '../../src/domain/series/evolve.ts';
import { seriesMachine, type SeriesStatus } from '../../src/domain/series/machine.ts';
import { decideSeries } from '../../src/domain/series/decide.ts';
import { fold } from '../support/fold.ts';
import type { SeriesTerms } from '../../src/domain/series/machine.ts';

const person = (n: number, role: Actor['role']): Actor => ({ id: `00000000-0000-4000-8000-00000000000${n}`, role });
const [consumer, provider, stranger] = [person(1, 'consumer'), person(2, 'provider'), person(3, 'consumer')];
const [hour, day] = [3_600_000, 86_400_000];
const week = 7 * day;
const noon = Date.parse('2026-06-01T12:00:00.000Z');
const policy = { ...defaultPolicy, seriesHorizonMs: 2 * week };
const at = (ms: number) => new Date(ms).toISOString();
/** Of occurrence `n`: the first is a day ahead. */
const startOf = (n: number) => noon + day + (n - 1) * week;

const terms = (count = 4, more: Partial<SeriesTerms> = {}): SeriesTerms => ({
  seriesId: 'series-1',
  bookingId: 'booking-0',
  requestId: 'request-1',
  offerId: 'offer-1',
  consumerId: consumer.id,
  providerId: provider.id,
  service: 'plumbing.leak',
  price: 15_000,
  currency: 'USD',
  zone: 'America/New_York',
  everyWeeks: 1,
  durationMinutes: 60,
  starts: Array.from({ length: count }, (_, index) => at(startOf(index + 1))),
  policy,
  ...more,
});

const rules = { initial: emptySeries, decide: decideSeries, evolve: evolveSeries };
const book = (n: number) => ({ do: 'bookOccurrence', by: SYSTEM, n, bookingId: `booking-${n}` }) as const;
const miss = (n: number, code = 'slot_taken' as const) =>
  ({ do: 'missOccurrence', by: SYSTEM, n, startsAt: at(startOf(n)), code }) as const;
const move = (n: number, start: number) => ({ do: 'moveOccurrence', by: consumer, n, startsAt: at(start) }) as const;
const skip = (n: number) => ({ do: 'skipOccurrence', by: consumer, n }) as const;

function proposed(count?: number) {
  const series = fold(rules);
  series.send({ do: 'proposeSeries', by: consumer, terms: terms(count) }, noon);
  return series;
}

function active(count?: number) {
  const series = proposed(count);
  series.send({ do: 'acceptSeries', by: provider }, noon);
  return series;
}

const inStatus: Record<SeriesStatus, () => ReturnType<typeof active>> = {
  proposed,
  active,
  declined: () => after(proposed(), { do: 'declineSeries', by: provider }),
  expired: () => after(proposed(), { do: 'expire', by: SYSTEM }, noon + day),
  ended: () => after(active(), { do: 'endSeries', by: provider }),
};

function after(series: ReturnType<typeof active>, command: Parameters<typeof series.send>[0], now = noon) {
  series.send(command, now);
  return series;
}

function outcome(act: () => { type: string }[]): string {
  try {
    return (
      act()
        .map(({ type }) => type.replace('series.', ''))
        .join(' ') || 'nothing'
    );
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

const refused = (code: string, detail: object = {}) => expect.objectContaining({ code, detail: expect.objectContaining(detail) });
const statuses = ({ state }: ReturnType<typeof active>) => state.occurrences.map(({ status }) => status).join(' ');

describe('every command in every status of a series', () => {
  const commands = {
    'accept by the provider': { do: 'acceptSeries', by: provider },
    'accept by the consumer': { do: 'acceptSeries', by: consumer },
    'accept by a stranger': { do: 'acceptSeries', by: stranger },
    'decline by the provider': { do: 'declineSeries', by: provider },
    'decline by the consumer': { do: 'declineSeries', by: consumer },
    'end by the consumer': { do: 'endSeries', by: consumer },
    'end by the provider': { do: 'endSeries', by: provider },
    'end by a stranger': { do: 'endSeries', by: stranger },
    'skip by the consumer': skip(1),
    'skip by the provider': { ...skip(1), by: provider },
    'move by the consumer': move(1, startOf(1) + hour),
    'move by the provider': { ...move(1, startOf(1) + hour), by: provider },
    'book in reach': book(1),
    'book out of reach': book(4),
    miss: miss(1),
    'propose again': { do: 'proposeSeries', by: consumer, terms: terms() },
    expire: { do: 'expire', by: SYSTEM },
    finish: { do: 'finish', by: SYSTEM },
  };
  type Name = keyof typeof commands;
  const over = (name: Name) => {
    if (/stranger/.test(name)) return 'not_owner';
    if (/(accept|decline) by the consumer|(skip|move) by the provider/.test(name)) return 'forbidden_role';
    return / by /.test(name) ? 'invalid_transition' : 'nothing';
  };
  const expected: Record<'proposed' | 'active', Partial<Record<Name, string>>> = {
    proposed: {
      'accept by the provider': 'accepted',
      'decline by the provider': 'declined',
      'end by the consumer': 'ended',
    },
    active: {
      'end by the consumer': 'ended',
      'end by the provider': 'ended',
      'skip by the consumer': 'occurrence_skipped',
      'move by the consumer': 'occurrence_moved',
      'book in reach': 'occurrence_booked booking.held',
      miss: 'occurrence_missed',
    },
  };
  const table = seriesMachine.statuses.flatMap((status) =>
    (Object.keys(commands) as Name[]).map(
      (name) => [status, name, (status === 'proposed' || status === 'active' ? expected[status][name] : undefined) ?? over(name)] as const,
    ),
  );

  it.each(table)('%s, %s: %s', (status, name, wanted) => {
    const series = inStatus[status]();
    expect(outcome(() => series.send(commands[name] as never, noon))).toBe(wanted);
  });

  it('before it was proposed, everything is refused', () => {
    expect(() => fold(rules).send({ do: 'acceptSeries', by: provider }, noon)).toThrow(refused('timeline_behind'));
  });
});

describe('a proposal', () => {
  const proposing = (more: Partial<SeriesTerms>, by = consumer) =>
    outcome(() => fold(rules).send({ do: 'proposeSeries', by, terms: terms(4, more) }, noon));

  it.each([
    ['one occurrence', { starts: [at(startOf(1))] }],
    ['27 occurrences', { starts: Array.from({ length: 27 }, (_, index) => at(startOf(index + 1))) }],
    ['a start that has passed', { starts: [at(noon), at(startOf(2))] }],
    ['occurrences that overlap', { starts: [at(startOf(1)), at(startOf(1) + hour / 2)] }],
    ['occurrences out of order', { starts: [at(startOf(2)), at(startOf(1))] }],
    ['an end further away than the policy allows', { starts: [at(startOf(1)), at(noon + defaultPolicy.seriesSpanMs + 1)] }],
    ['a start that is none', { starts: [at(startOf(1)), 'soon'] }],
  ])('of %s is refused', (_, more) => expect(proposing(more)).toBe('validation_failed'));

  it('for somebody else is refused', () => expect(proposing({}, stranger)).toBe('not_owner'));

  it('given a policy of an earlier release, follows today’s defaults where that one is silent', () => {
    const { seriesHorizonMs: _horizon, rescheduleAnswerMs: _answer, ...old } = policy;
    const series = fold(rules);
    const [event] = series.send({ do: 'proposeSeries', by: consumer, terms: terms(4, { policy: old as never }) }, noon);
    expect(event).toMatchObject({ expiresAt: at(noon + day), policy: { seriesHorizonMs: defaultPolicy.seriesHorizonMs } });
  });

  it('waits for an answer until its time is up, or its first occurrence begins', () => {
    expect(nextSeriesStep(proposed().state, new Map())).toEqual({ do: 'expire', at: noon + day });
    const soon = fold(rules);
    soon.send({ do: 'proposeSeries', by: consumer, terms: terms(2, { starts: [at(noon + hour), at(startOf(2))] }) }, noon);
    expect(soon.state.series!.expiresAt).toBe(at(noon + hour));
    expect(() => soon.send({ do: 'acceptSeries', by: provider }, noon + hour)).toThrow(refused('too_late'));
  });

  it('given the consumer wants it to end, the provider is told; the provider declines instead', () => {
    const [event] = proposed().send({ do: 'endSeries', by: consumer }, noon);
    expect(event).toMatchObject({ code: 'ended_by_consumer', notify: [{ to: provider.id, kind: 'series_ended' }] });
    expect(() => proposed().send({ do: 'endSeries', by: provider }, noon)).toThrow(
      refused('invalid_transition', { allowed: ['accept', 'decline'] }),
    );
  });
});

describe('an occurrence', () => {
  it('is booked with the terms of the booking it grows from, as a hold of its own', () => {
    const [booked, held] = active().send(book(2), noon);
    const slot = { startsAt: at(startOf(2)), endsAt: at(startOf(2) + hour) };
    expect(booked).toMatchObject({ n: 2, bookingId: 'booking-2', ...slot });
    expect(held).toMatchObject({
      stream: 'booking/booking-2',
      ...slot,
      seriesId: 'series-1',
      requestId: 'request-1',
      offerId: 'offer-1',
      price: 15_000,
      heldUntil: at(noon + policy.holdMs),
    });
  });

  it('is booked once: the second time nothing is written', () => {
    const series = active();
    series.send(book(1), noon);
    expect(series.send(book(1), noon)).toEqual([]);
    expect(series.state.occurrences[0]).toMatchObject({ status: 'booked', bookingId: 'booking-1' });
  });

  it('given its time has passed, is missed as too late, and both are told', () => {
    const [event] = active().send(book(1), startOf(1));
    expect(event).toMatchObject({ type: 'series.occurrence_missed', code: 'too_late' });
    expect(event!.notify!.map(({ to }) => to)).toEqual([consumer.id, provider.id]);
  });

  it('given it is booked, skipping leads to cancelling the booking, and moving to its reschedule', () => {
    const series = active();
    series.send(book(1), noon);
    const to = { status: 'booked', ids: { bookingId: 'booking-1' } };
    expect(() => series.send(skip(1), noon)).toThrow(refused('invalid_transition', { ...to, allowed: ['cancelBooking'] }));
    expect(() => series.send(move(1, startOf(1) + hour), noon)).toThrow(
      refused('invalid_transition', { ...to, allowed: ['proposeReschedule'] }),
    );
  });

  it('given it is not there, nothing happens to it', () => {
    expect(() => active().send(skip(9), noon)).toThrow(refused('not_found'));
    expect(active().send(book(9), noon)).toEqual([]);
  });

  it('given it was moved or skipped while its booking was refused, it is not missed', () => {
    const series = active();
    series.send(move(1, startOf(1) + hour), noon);
    series.send(skip(2), noon);
    expect([series.send(miss(1), noon), series.send(miss(2), noon)]).toEqual([[], []]);
    expect(statuses(series)).toBe('planned skipped planned planned');
  });

  it('given it was missed, it can be moved, and is booked then', () => {
    const series = active();
    series.send(miss(1), noon);
    series.send(move(1, startOf(1) + hour), noon);
    expect(outcome(() => series.send(book(1), noon))).toBe('occurrence_booked booking.held');
    expect(series.state.occurrences[0]).toMatchObject({ startsAt: at(startOf(1) + hour), status: 'booked' });
  });

  it.each([
    ['before the end of the one before', 2, startOf(1) + hour / 2],
    ['over the beginning of the next', 2, startOf(3) - hour / 2],
    ['into the past', 1, noon],
    ['to where it is', 2, startOf(2)],
    ['further away than the policy allows', 4, noon + defaultPolicy.seriesSpanMs + 1],
    ['to a time that is none', 2, Number.NaN],
  ])('is not moved %s', (_, n, start) => {
    const command = { ...move(n, startOf(n)), ...(Number.isNaN(start) ? { startsAt: 'soon' } : { startsAt: at(start) }) };
    expect(() => active().send(command, noon)).toThrow(refused('validation_failed'));
  });

  it('may go right up to its neighbours, and beyond one that is skipped', () => {
    expect(outcome(() => active().send(move(2, startOf(1) + hour), noon))).toBe('occurrence_moved');
    expect(outcome(() => active().send(move(2, startOf(3) - hour), noon))).toBe('occurrence_moved');
    const series = active();
    series.send(skip(3), noon);
    expect(outcome(() => series.send(move(2, startOf(3) + hour), noon))).toBe('occurrence_moved');
  });

  it('is moved a few times only', () => {
    const series = active();
    for (let n = 1; n <= policy.reschedulesPerParty; n += 1) series.send(move(1, startOf(1) + n * hour), noon);
    expect(() => series.send(move(1, startOf(1)), noon)).toThrow(refused('reschedule_limit', { allowed: ['skip'] }));
  });
});

describe('the clock of a series', () => {
  const next = (series: ReturnType<typeof active>, notBefore = new Map<string, number>()) => nextSeriesStep(series.state, notBefore);

  it('books the next occurrence when it comes within the horizon', () => {
    const series = active();
    expect(next(series)).toEqual({ do: 'book', n: 1, at: startOf(1) - 2 * week });
    series.send(book(1), noon);
    series.send(skip(2), noon);
    expect(next(series)).toEqual({ do: 'book', n: 3, at: startOf(3) - 2 * week });
  });

  it('given the provider’s calendar opens later, waits for that and books others meanwhile', () => {
    const series = active();
    expect(next(series, new Map([[at(startOf(1)), noon + hour]]))).toEqual({ do: 'book', n: 2, at: startOf(2) - 2 * week });
    for (const n of [2, 3, 4]) series.send(skip(n), noon);
    expect(next(series, new Map([[at(startOf(1)), noon + hour]]))).toEqual({ do: 'book', n: 1, at: noon + hour });
  });

  it('ends when nothing is planned any more and no missed one can be moved any more', () => {
    const series = active(2);
    series.send(book(1), noon);
    series.send(miss(2), noon);
    expect(next(series)).toEqual({ do: 'finish', at: startOf(2) });
    expect(series.send({ do: 'finish', by: SYSTEM }, startOf(2) - 1)).toEqual([]);
    expect(outcome(() => series.send({ do: 'finish', by: SYSTEM }, startOf(2)))).toBe('ended');
    expect(series.state.status).toBe('ended');
    expect(next(series)).toBeNull();
  });

  it('given a side ends it, what is booked stays booked and the rest is skipped', () => {
    const series = active();
    series.send(book(1), noon);
    series.send(miss(2), noon);
    series.send({ do: 'endSeries', by: provider }, noon);
    expect(statuses(series)).toBe('booked missed skipped skipped');
  });

  it('a command id counts once: whatever comes in whatever order, each occurrence has one booking at most, and the order stays', () => {
    const anything = fc.oneof(
      fc.record({ what: fc.constant('book' as const), n: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ what: fc.constant('miss' as const), n: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ what: fc.constant('skip' as const), n: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ what: fc.constant('move' as const), n: fc.integer({ min: 1, max: 4 }), hours: fc.integer({ min: -200, max: 400 }) }),
      fc.record({ what: fc.constant('end' as const), n: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(fc.record({ step: anything, later: fc.integer({ min: 0, max: 5 * day }) }), { maxLength: 30 }), (steps) => {
        const series = active();
        let now = noon;
        for (const { step, later } of steps) {
          now += later;
          const commands = {
            book: book(step.n),
            miss: { ...miss(step.n), startsAt: series.state.occurrences[step.n - 1]?.startsAt ?? '' },
            skip: skip(step.n),
            move: move(step.n, startOf(step.n) + ('hours' in step ? step.hours : 0) * hour),
            end: { do: 'endSeries', by: consumer } as const,
          };
          outcome(() => series.send(commands[step.what], now));
        }
        const bookings = series.events.filter(({ type }) => type === 'series.occurrence_booked') as unknown as {
          n: number;
          startsAt: string;
        }[];
        expect(new Set(bookings.map(({ n }) => n)).size).toBe(bookings.length);
        const starts = series.state.occurrences.filter(({ status }) => status !== 'skipped').map(({ startsAt }) => Date.parse(startsAt));
        expect(starts).toEqual(starts.toSorted((a, b) => a - b));
      }),
    );
  });

  it('the state of the longest series, each occurrence moved as often as possible, stays under 10 KB', () => {
    const series = fold(rules);
    const count = 26;
    const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
    let commands = 0;
    const send = (command: object, now: number) => series.send({ id: uuid((commands += 1)), ...command } as never, now);
    send({ do: 'proposeSeries', by: consumer, terms: terms(count, { policy: { ...defaultPolicy, seriesHorizonMs: 27 * week } }) }, noon);
    send({ do: 'acceptSeries', by: provider }, noon);
    for (let n = 1; n <= count; n += 1) {
      for (let moves = 1; moves <= policy.reschedulesPerParty; moves += 1) send(move(n, startOf(n) + moves * hour), noon);
      send({ ...book(n), bookingId: uuid(n) }, noon);
    }
    expect(new Set(series.state.occurrences.map(({ status }) => status))).toEqual(new Set(['booked']));
    const size = Buffer.byteLength(JSON.stringify(series.state));
    expect(size).toBeLessThan(10_000);
    expect(size).toBeGreaterThan(5_000); // the longest case is what is measured
  });
});
