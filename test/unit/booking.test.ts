import { describe, expect, it } from '@jest/globals';
import { SYSTEM, type Actor } from '../../src/domain/actor.ts';
import { decideBooking } from '../../src/domain/booking/decide.ts';
import { bookingInterventions, bookingMachine, bookingVerbs, type BookingStatus } from '../../src/domain/booking/machine.ts';
import { emptyBooking, evolveBooking } from '../../src/domain/booking/evolve.ts';
import { isObjection } from '../../src/domain/booking/objection.ts';
import type { BookingCommand, BookingHeld } from '../../src/domain/booking/types.ts';
import { cancellationQuote } from '../../src/domain/booking/charge.ts';
import { DomainError } from '../../src/domain/errors.ts';
import { defaultPolicy, type Policy } from '../../src/domain/policy.ts';
import { fold } from '../support/fold.ts';

const hour = 3_600_000;
const held = Date.UTC(2026, 5, 1, 6);
const start = Date.UTC(2026, 5, 1, 12);
const end = start + hour;
const afterGrace = start + 31 * 60_000;
const consumer: Actor = { id: '00000000-0000-4000-8000-000000000001', role: 'consumer' };
const provider: Actor = { id: '00000000-0000-4000-8000-000000000002', role: 'provider' };
const operator: Actor = { id: '00000000-0000-4000-8000-000000000003', role: 'admin' };
const stranger: Actor = { id: '00000000-0000-4000-8000-000000000004', role: 'consumer' };

type Send = Omit<BookingCommand, 'id' | 'by'> & Record<string, unknown>;

function bookingIn(status: BookingStatus, policy: Partial<Policy> = {}) {
  const booking = fold({ initial: emptyBooking, decide: decideBooking, evolve: evolveBooking });
  const event: BookingHeld = {
    type: 'booking.held',
    bookingId: 'b',
    requestId: 'r',
    offerId: 'o',
    consumerId: consumer.id,
    providerId: provider.id,
    service: 's',
    price: 10_000,
    currency: 'USD',
    startsAt: new Date(start).toISOString(),
    endsAt: new Date(end).toISOString(),
    zone: 'UTC',
    heldUntil: new Date(held + defaultPolicy.holdMs).toISOString(),
    policy: { ...defaultPolicy, ...policy },
  };
  booking.record(event as never, 'held', consumer, held);
  const send = (command: Send, by: Actor, now: number) => booking.send({ ...command, by } as never, now);
  const paths: Record<BookingStatus, [Send, Actor, number][]> = {
    held: [],
    confirmed: [[{ do: 'confirm' }, SYSTEM, held]],
    in_progress: [[{ do: 'checkIn' }, provider, start]],
    completed: [[{ do: 'completeBooking' }, provider, start]],
    released: [[{ do: 'release', code: 'hold_expired' } as Send, SYSTEM, held]],
    cancelled: [[{ do: 'cancelBooking' }, provider, held]],
    no_show: [[{ do: 'reportNoShow' }, provider, afterGrace]],
    disputed: [[{ do: 'disputeBooking' }, consumer, start]],
    settled: [[{ do: 'intervene', action: 'rule', ticket: 'T', reason: 'r' } as Send, operator, start]],
  };
  const before: Record<BookingStatus, BookingStatus[]> = {
    held: [],
    confirmed: ['confirmed'],
    in_progress: ['confirmed', 'in_progress'],
    completed: ['confirmed', 'in_progress', 'completed'],
    released: ['released'],
    cancelled: ['confirmed', 'cancelled'],
    no_show: ['confirmed', 'no_show'],
    disputed: ['confirmed', 'in_progress', 'completed', 'disputed'],
    settled: ['confirmed', 'in_progress', 'completed', 'disputed', 'settled'],
  };
  for (const step of before[status]) for (const [command, by, now] of paths[step]) send(command, by, now);
  expect(booking.state.status).toBe(status);
  return {
    ...booking,
    send,
    get state() {
      return booking.state;
    },
  };
}

/** Types of what is written, `nothing`, or the code of the refusal. */
function outcome(work: () => { type: string }[]): string {
  try {
    return (
      work()
        .map(({ type }) => type)
        .join(' ') || 'nothing'
    );
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return error.code;
  }
}

interface Row {
  by: Actor;
  at?: number;
  more?: object;
  /** By status; what is missing is `otherwise`. */
  is: Partial<Record<BookingStatus, string>>;
  otherwise: string;
}

const refused = 'invalid_transition';
const rows: Record<Exclude<BookingCommand['do'], 'intervene'> | `intervene ${(typeof bookingInterventions)[number]}`, Row> = {
  confirm: { by: SYSTEM, at: held, is: { held: 'booking.confirmed' }, otherwise: 'nothing' },
  release: { by: SYSTEM, more: { code: 'x' }, is: { held: 'booking.released' }, otherwise: 'nothing' },
  remind: { by: SYSTEM, more: { index: 0 }, is: { confirmed: 'booking.reminded' }, otherwise: 'nothing' },
  checkIn: { by: provider, is: { confirmed: 'booking.checked_in' }, otherwise: refused },
  completeBooking: { by: provider, is: { in_progress: 'booking.completed review.opened' }, otherwise: refused },
  autoComplete: {
    by: SYSTEM,
    at: end + defaultPolicy.autoCompleteMs,
    is: { confirmed: 'booking.checked_in booking.completed review.opened', in_progress: 'booking.completed review.opened' },
    otherwise: 'nothing',
  },
  cancelBooking: { by: consumer, is: { confirmed: 'booking.cancelled' }, otherwise: refused },
  cancelUnpaid: { by: SYSTEM, is: { confirmed: 'booking.cancelled' }, otherwise: 'nothing' },
  proposeReschedule: {
    by: consumer,
    at: held + hour,
    more: { startsAt: new Date(end).toISOString() },
    is: { confirmed: 'reschedule.proposed' },
    otherwise: refused,
  },
  answerReschedule: { by: consumer, more: { accept: true }, is: {}, otherwise: refused },
  dropReschedule: { by: SYSTEM, more: { code: 'expired' }, is: {}, otherwise: 'nothing' },
  reportNoShow: { by: provider, is: { confirmed: 'booking.no_show' }, otherwise: refused },
  contestNoShow: { by: consumer, is: { no_show: 'booking.disputed' }, otherwise: refused },
  disputeBooking: { by: consumer, is: { completed: 'booking.disputed' }, otherwise: refused },
  payBooking: { by: consumer, is: {}, otherwise: refused },
  requestPayment: { by: SYSTEM, is: {}, otherwise: 'nothing' },
  recordAuthorisation: { by: SYSTEM, more: { attempt: 1, ref: 'x', lapsesAt: '' }, is: {}, otherwise: 'nothing' },
  recordDecline: { by: SYSTEM, more: { attempt: 1, code: 'x' }, is: {}, otherwise: 'nothing' },
  recordCapture: { by: SYSTEM, more: { attempt: 1, amount: 1 }, is: {}, otherwise: 'nothing' },
  recordRelease: { by: SYSTEM, more: { attempt: 1, code: 'x' }, is: {}, otherwise: 'nothing' },
  recordRefund: { by: SYSTEM, more: { attempt: 1, amount: 1 }, is: {}, otherwise: 'nothing' },
  reportStuck: { by: SYSTEM, more: { step: 's', code: 'x' }, is: {}, otherwise: 'payment.stuck' },
  closeMoney: { by: SYSTEM, is: {}, otherwise: 'nothing' },
  'intervene cancel': { by: operator, is: { confirmed: 'operator.intervened booking.cancelled' }, otherwise: refused },
  'intervene complete': { by: operator, is: { in_progress: 'operator.intervened booking.completed review.opened' }, otherwise: refused },
  'intervene rule': { by: operator, is: { disputed: 'operator.intervened booking.settled' }, otherwise: refused },
  'intervene retry_payment': { by: operator, is: {}, otherwise: refused },
  'intervene write_off': { by: operator, is: {}, otherwise: refused },
};

const pairs = Object.entries(rows).flatMap(([name, { by, at = afterGrace, more, is, otherwise }]) => {
  const [command, action] = name.split(' ');
  const send = { do: command, ...more, ...(action && { action, ticket: 'T', reason: 'r' }) } as unknown as Send;
  return bookingMachine.statuses.map((status) => ({ status, name, send, by, at, is: is[status] ?? otherwise }));
});

describe('every command in every status, where nobody pays through us', () => {
  it.each(pairs)('$name of a booking that is $status: $is', ({ status, send, by, at, is }) => {
    const booking = bookingIn(status);
    expect(outcome(() => booking.send(send, by, at))).toBe(is);
  });

  it.each(bookingMachine.statuses)('a stranger does nothing to one that is %s', (status) => {
    const booking = bookingIn(status);
    const theirs: Send[] = [
      { do: 'checkIn' },
      { do: 'completeBooking' },
      { do: 'cancelBooking' },
      { do: 'proposeReschedule', startsAt: new Date(end).toISOString() },
      { do: 'answerReschedule', accept: true },
      { do: 'reportNoShow' },
      { do: 'contestNoShow' },
      { do: 'disputeBooking' },
      { do: 'payBooking' },
    ] as Send[];
    for (const command of theirs)
      expect([command.do, outcome(() => booking.send(command, stranger, afterGrace))]).toEqual([command.do, 'not_owner']);
    for (const action of bookingInterventions) {
      const send = { do: 'intervene', action, ticket: 'T', reason: 'r' } as unknown as Send;
      for (const by of [consumer, provider, stranger]) expect(outcome(() => booking.send(send, by, afterGrace))).toBe('forbidden_role');
    }
  });

  it.each<[BookingStatus, string[]]>([
    ['completed', ['disputeBooking']],
    ['no_show', ['contestNoShow']],
    ['cancelled', []],
    ['released', []],
    ['settled', []],
  ])('one that is %s refuses every other verb with the objection that fits, whether its run goes on or not', (status, allowed) => {
    const verbs = pairs.filter(({ send, ...pair }) => pair.status === status && send.do in bookingVerbs && !isObjection(send.do));
    expect(verbs.length).toBeGreaterThan(9);
    for (const { send, by, at } of verbs)
      expect(() => bookingIn(status).send(send, by, at)).toThrow(
        expect.objectContaining({ code: 'invalid_transition', detail: { status, allowed } }),
      );
  });

  it('before it was held, nothing is decided', () => {
    const empty = fold({ initial: emptyBooking, decide: decideBooking, evolve: evolveBooking });
    expect(outcome(() => empty.send({ do: 'confirm', by: SYSTEM }, held))).toBe('timeline_behind');
  });
});

describe('the clock', () => {
  it('a hold that has run out is released, not confirmed', () => {
    const booking = bookingIn('held');
    expect(outcome(() => booking.send({ do: 'confirm' }, SYSTEM, held + defaultPolicy.holdMs))).toBe('booking.released');
    expect(booking.state.outcome).toBe('released');
  });

  it.each([
    ['checkIn', start - defaultPolicy.checkInEarlyMs],
    ['reportNoShow', start + defaultPolicy.noShowGraceMs],
  ] as const)('%s is too early by a millisecond, then not', (what, opens) => {
    const booking = bookingIn('confirmed');
    expect(outcome(() => booking.send({ do: what }, provider, opens - 1))).toBe('too_early');
    expect(outcome(() => booking.send({ do: what }, provider, opens))).not.toBe('too_early');
  });

  it.each([
    ['no_show', 'contestNoShow', afterGrace + defaultPolicy.contestMs],
    ['completed', 'disputeBooking', start + defaultPolicy.disputeMs],
  ] as const)('one that is %s: %s is possible up to the last millisecond of the window', (status, what, closes) => {
    expect(outcome(() => bookingIn(status).send({ do: what }, consumer, closes))).toBe('booking.disputed');
    expect(outcome(() => bookingIn(status).send({ do: what }, consumer, closes + 1))).toBe('too_late');
  });

  it('the automatic end that was due before a new slot was agreed on does nothing', () => {
    const booking = bookingIn('confirmed');
    booking.send({ do: 'proposeReschedule', startsAt: new Date(end).toISOString() } as unknown as Send, consumer, held + hour);
    booking.send({ do: 'answerReschedule', accept: true } as unknown as Send, provider, held + hour);
    expect(outcome(() => booking.send({ do: 'autoComplete' }, SYSTEM, end + defaultPolicy.autoCompleteMs))).toBe('nothing');
  });
});

describe('a proposed slot', () => {
  const propose = (booking: ReturnType<typeof bookingIn>, by: Actor, now: number, startsAt = end) =>
    outcome(() => booking.send({ do: 'proposeReschedule', startsAt: new Date(startsAt).toISOString() } as unknown as Send, by, now));
  const answer = (booking: ReturnType<typeof bookingIn>, by: Actor, accept: boolean, now: number) =>
    outcome(() => booking.send({ do: 'answerReschedule', accept } as unknown as Send, by, now));

  it('waits until the answer is due, the slot begins or the proposed one does, whatever comes first', () => {
    const soonest = bookingIn('confirmed', { rescheduleAnswerMs: 60_000 });
    propose(soonest, consumer, held);
    expect(soonest.state.reschedule!.expiresAt).toBe(new Date(held + 60_000).toISOString());
    const atSlot = bookingIn('confirmed');
    propose(atSlot, consumer, held);
    expect(atSlot.state.reschedule!.expiresAt).toBe(new Date(start).toISOString());
    const atProposed = bookingIn('confirmed');
    propose(atProposed, consumer, held, start - 2 * hour);
    expect(atProposed.state.reschedule!.expiresAt).toBe(new Date(start - 2 * hour).toISOString());
  });

  it('lapsed, it is answered no more, and the next proposal takes it off the books', () => {
    const booking = bookingIn('confirmed', { rescheduleAnswerMs: 60_000 });
    propose(booking, consumer, held);
    expect(answer(booking, provider, true, held + 60_000)).toBe('too_late');
    expect(propose(booking, provider, held + 60_000)).toBe('reschedule.expired reschedule.proposed');
  });

  it('goes with whatever ends or begins the job', () => {
    for (const [command, by] of [
      ['cancelBooking', consumer],
      ['checkIn', provider],
      ['reportNoShow', provider],
    ] as const) {
      const booking = bookingIn('confirmed', { checkInEarlyMs: 90 * 24 * hour, noShowGraceMs: -90 * 24 * hour });
      propose(booking, consumer, held);
      booking.send({ do: command }, by, held);
      expect(booking.state.reschedule).toBeNull();
    }
  });

  it('counts for the side that made it, withdrawn or not', () => {
    const booking = bookingIn('confirmed', { reschedulesPerParty: 1 });
    propose(booking, consumer, held);
    expect(answer(booking, consumer, false, held)).toBe('reschedule.withdrawn');
    expect(propose(booking, consumer, held)).toBe('reschedule_limit');
    expect(propose(booking, provider, held)).toBe('reschedule.proposed');
  });
});

describe('what an end costs', () => {
  const { tiers } = defaultPolicy.cancellation;

  it.each([
    [24 * hour, 0],
    [24 * hour - 1, 50],
    [2 * hour, 50],
    [2 * hour - 1, 100],
    [0, 100],
    [-hour, 100],
  ])('with %d ms left the consumer pays %d %%: the quote and the charge are one function', (left, percent) => {
    const booking = bookingIn('confirmed', { holdMs: 7 * 24 * hour });
    const price = { amount: 10_000, currency: 'USD' as const };
    const quote = cancellationQuote(price, new Date(start).toISOString(), defaultPolicy.cancellation, start - left);
    expect(quote).toMatchObject({ feePercent: percent, fee: percent * 100 });
    const [cancelled] = booking.send({ do: 'cancelBooking', fee: quote.fee } as Send, consumer, start - left);
    expect(cancelled).toMatchObject({ type: 'booking.cancelled', fee: quote.fee, outcome: 'cancelled' });
    if (quote.fee > 0)
      expect(outcome(() => bookingIn('confirmed').send({ do: 'cancelBooking', fee: quote.fee - 1 } as Send, consumer, start - left))).toBe(
        'fee_changed',
      );
  });

  it('says when it gets dearer, until it cannot', () => {
    const at = (now: number) =>
      cancellationQuote(
        { amount: 1, currency: 'USD' },
        new Date(start).toISOString(),
        { ...defaultPolicy.cancellation, tiers: [...tiers].reverse() },
        now,
      ).until;
    expect([at(start - 48 * hour), at(start - 3 * hour), at(start - hour)]).toEqual([start - 24 * hour, start - 2 * hour, null]);
    expect(
      cancellationQuote(
        { amount: 100, currency: 'JPY' },
        new Date(start).toISOString(),
        { version: 'x', tiers: [], noShowFeePercent: 0 },
        start,
      ),
    ).toEqual({ fee: 0, feePercent: 0, until: null });
  });

  it('nobody but the consumer ever pays for an end', () => {
    for (const by of [provider, operator]) {
      const [event] = bookingIn('confirmed').send({ do: 'cancelBooking' }, by, afterGrace);
      expect(event).toMatchObject({ fee: 0 });
    }
    const [missed] = bookingIn('confirmed').send({ do: 'reportNoShow' }, consumer, afterGrace);
    expect(missed).toMatchObject({ absent: 'provider', fee: 0 });
  });

  it.each([
    ['completed', 10_000],
    ['no_show', 10_000],
  ] as const)('a ruling gives back at most what a booking that is %s has cost', (status, most) => {
    for (const [refund, is] of [
      [0, 'operator.intervened booking.settled'],
      [most, 'operator.intervened booking.settled'],
      [most + 1, 'price_out_of_bounds'],
      [-1, 'price_out_of_bounds'],
      [0.5, 'price_out_of_bounds'],
    ] as const) {
      const booking = bookingIn(status);
      booking.send({ do: status === 'no_show' ? 'contestNoShow' : 'disputeBooking' }, consumer, afterGrace);
      const rule = { do: 'intervene', action: 'rule', ticket: 'T', reason: 'r', refund } as unknown as Send;
      expect([refund, outcome(() => booking.send(rule, operator, afterGrace))]).toEqual([refund, is]);
    }
  });
});
