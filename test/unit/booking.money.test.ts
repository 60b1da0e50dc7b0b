// The rules of money, played against a payment provider in memory that answers as it likes: everything the run would do is
// derived from the state, so this loop is the run's loop without its waiting.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SYSTEM, type Actor } from '../../src/domain/actor.ts';
import { decideBooking } from '../../src/domain/booking/decide.ts';
import { currentAuthorisation, isUncovered, nextMoneyStep, undoStep, type MoneyStep } from '../../src/domain/booking/money.ts';
import { isOver, movesMoney } from '../../src/domain/booking/state.ts';
import { emptyBooking, evolveBooking } from '../../src/domain/booking/evolve.ts';
import type { BookingCommand, BookingHeld, BookingState } from '../../src/domain/booking/types.ts';
import { DomainError } from '../../src/domain/errors.ts';
import { currencies, type Currency } from '../../src/domain/money.ts';
import { defaultPolicy, type Policy } from '../../src/domain/policy.ts';
import { fold } from '../support/fold.ts';

const hour = 3_600_000;
const start = Date.UTC(2026, 5, 1, 12);
const consumer: Actor = { id: '00000000-0000-4000-8000-000000000001', role: 'consumer' };
const provider: Actor = { id: '00000000-0000-4000-8000-000000000002', role: 'provider' };
const operator: Actor = { id: '00000000-0000-4000-8000-000000000003', role: 'admin' };

interface Held {
  price: number;
  currency: Currency;
  leadMs: number;
  policy: Policy;
}

function held({ price, currency, leadMs, policy }: Held) {
  const booking = fold({ initial: emptyBooking, decide: decideBooking, evolve: evolveBooking });
  const event: BookingHeld = {
    type: 'booking.held',
    bookingId: 'b',
    requestId: 'r',
    offerId: 'o',
    consumerId: consumer.id,
    providerId: provider.id,
    service: 's',
    price,
    currency,
    startsAt: new Date(start + leadMs).toISOString(),
    endsAt: new Date(start + leadMs + hour).toISOString(),
    zone: 'UTC',
    heldUntil: new Date(start + policy.holdMs).toISOString(),
    policy,
  };
  booking.record(event as never, 'held', consumer, start);
  return booking;
}

type Answer = 'yes' | 'declined' | 'away';

/** The provider's own books: what it was asked and did, by attempt. */
class Ledger {
  authorised = new Map<number, { amount: number; captured: number; released: number; refunded: number }>();
}

/** What the workflow's loops do, at one instant. */
function carryOut(booking: ReturnType<typeof held>, ledger: Ledger, answers: Iterator<Answer>, now: number): void {
  const send = (command: Omit<BookingCommand, 'id' | 'by'>) => booking.send({ ...command, by: SYSTEM } as never, now);
  const next = () => answers.next().value ?? 'yes';
  for (let guard = 0; guard < 100; guard += 1) {
    const state: BookingState = booking.state;
    if (state.stuck) return;
    const holdEnds = state.status === 'held' && Date.parse(state.booking!.heldUntil) <= now;
    const step: MoneyStep | null = holdEnds ? undoStep(state) : nextMoneyStep(state);
    if (step) take(step);
    else if (holdEnds) send({ do: 'release', code: 'hold_expired' } as never);
    else if (state.status === 'held') {
      if (currentAuthorisation(state) || !movesMoney(state)) send({ do: 'confirm' } as never);
      else if (state.payments.length === 0) send({ do: 'requestPayment' } as never);
      else return;
    } else if (isOver(state) && state.settling) {
      if (!isUncovered(state)) send({ do: 'closeMoney' } as never);
      else if (state.payments.at(-1)!.status === 'declined') send({ do: 'reportStuck', step: 'charge', code: 'payment_declined' } as never);
      else send({ do: 'requestPayment' } as never);
    } else return;
  }
  throw new Error(`money never comes to rest: ${JSON.stringify(booking.state.payments)}`);

  function take(step: MoneyStep): void {
    const { attempt } = step;
    const entry = ledger.authorised.get(attempt);
    switch (step.do) {
      case 'authorise': {
        const answer = next();
        if (answer === 'declined') return void send({ do: 'recordDecline', attempt, code: 'card_declined' } as never);
        ledger.authorised.set(attempt, { amount: step.amount, captured: 0, released: 0, refunded: 0 });
        // The answer was lost: it may have been authorised, so it is undone by its key.
        if (answer === 'away') {
          take({ do: 'release', step: '', attempt, ref: null, amount: step.amount });
          if (isOver(booking.state)) send({ do: 'reportStuck', step: 'charge', code: 'unavailable' } as never);
          else if (booking.state.status === 'held') send({ do: 'release', code: 'payment_unavailable' } as never);
          return;
        }
        return void send({
          do: 'recordAuthorisation',
          attempt,
          ref: `pi_${attempt}`,
          lapsesAt: new Date(now + 168 * hour).toISOString(),
        } as never);
      }
      case 'capture':
        Object.assign(entry!, { captured: step.amount, released: entry!.amount - step.amount });
        return void send({ do: 'recordCapture', attempt, amount: step.amount } as never);
      case 'release':
        if (entry) entry.released = entry.amount - entry.captured;
        return void send({ do: 'recordRelease', attempt, code: 'undone' } as never);
      case 'refund':
        entry!.refunded += step.amount;
        return void send({ do: 'recordRefund', attempt, amount: step.amount } as never);
    }
  }
}

const policies = fc.record({
  fees: fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 4 }),
  noShow: fc.integer({ min: 0, max: 100 }),
  max: fc.integer({ min: 100, max: 150 }),
});
const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constantFrom(
        'confirm',
        'checkIn',
        'autoComplete',
        'payBooking',
        'requestPayment',
        'retry',
        'writeOff',
        'disputeBooking',
        'contestNoShow',
        'reportNoShow',
        'cancelUnpaid',
      ),
      by: fc.constantFrom(consumer, provider),
    }),
    fc.record({
      do: fc.constantFrom('cancelBooking', 'rule', 'completeBooking'),
      by: fc.constantFrom(consumer, provider, operator),
      share: fc.integer({ min: 0, max: 160 }),
    }),
    fc.record({ do: fc.constant('wait' as const), by: fc.constant(consumer), hours: fc.integer({ min: 0, max: 60 }) }),
  ),
  { minLength: 3, maxLength: 14 },
);

describe('money of a booking', () => {
  it('authorised = captured + released, refunds never exceed captures, integer minor units in USD, EUR and JPY', () => {
    const seen = new Set<string>();
    const lives = fc.property(
      fc.record({
        price: fc.integer({ min: 0, max: 5_000_000 }),
        currency: fc.constantFrom(...currencies),
        leadMs: fc.integer({ min: hour, max: 400 * hour }),
        shape: policies,
        commands: steps,
        objects: fc.boolean(),
        answers: fc.array(fc.constantFrom<Answer>('yes', 'yes', 'yes', 'declined', 'away'), { maxLength: 8 }),
      }),
      ({ price, currency, leadMs, shape, commands, objects, answers }) => {
        const policy: Policy = {
          ...defaultPolicy,
          payments: 'stripe',
          cancellation: {
            version: 'test',
            tiers: shape.fees.map((feePercent, n) => ({ beforeMs: (shape.fees.length - 1 - n) * 24 * hour, feePercent })),
            noShowFeePercent: shape.noShow,
          },
          finalPrice: { minPercent: 0, maxPercent: shape.max },
        };
        const booking = held({ price, currency, leadMs, policy });
        const ledger = new Ledger();
        const answered = answers[Symbol.iterator]();
        let now = start;
        carryOut(booking, ledger, answered, now);
        for (const command of commands) {
          if (command.do === 'wait') now += (command as { hours: number }).hours * hour;
          else tell(booking, command as never, now, price);
          carryOut(booking, ledger, answered, now);
          expectBalanced(booking.state, ledger);
        }
        // Nobody acts any more: it ends by itself, and sometimes somebody objects in time.
        now = Math.max(now, Date.parse(booking.state.booking!.endsAt) + policy.autoCompleteMs);
        tell(booking, { do: 'autoComplete', by: SYSTEM }, now, price);
        carryOut(booking, ledger, answered, now);
        if (objects)
          for (const by of [consumer, provider])
            for (const what of ['disputeBooking', 'contestNoShow']) tell(booking, { do: what, by }, now, price);
        // Operators rule and unstick it: the books close.
        now += 1_000 * hour;
        for (let guard = 0; guard < 8; guard += 1) {
          for (const end of ['payBooking', 'autoComplete', 'rule', 'writeOff'])
            tell(booking, { do: end, by: operator, share: 50 }, now, price);
          carryOut(booking, ledger, answered, now);
        }
        expectBalanced(booking.state, ledger);
        expect(isOver(booking.state)).toBe(true);
        expect(booking.state.settling).toBe(false);
        const taken = booking.state.payments.reduce((sum, { captured }) => sum + captured, 0);
        const givenBack = booking.state.payments.reduce((sum, { refunded }) => sum + refunded, 0);
        if (movesMoney(booking.state)) expect(taken).toBe(booking.state.charge); // a write-off lowers the charge
        if (movesMoney(booking.state)) expect(givenBack).toBe(booking.state.refundDue);
        for (const { status, amount, captured } of booking.state.payments) {
          expect(['captured', 'released', 'declined']).toContain(status);
          expect(captured).toBeLessThanOrEqual(amount);
        }
        for (const { amount, captured, released, refunded } of ledger.authorised.values()) {
          expect(captured + released).toBe(amount);
          expect(refunded).toBeLessThanOrEqual(captured);
        }
        seen.add(booking.state.status);
      },
    );
    fc.assert(lives, { numRuns: 150, seed: 2026 });
    // The property has seen every way a booking ends, so it says something: with a seed that does, chance has no say in it.
    expect([...seen].sort()).toEqual(['cancelled', 'completed', 'no_show', 'released', 'settled']);
    fc.assert(lives, { numRuns: 100 });
  });

  it('given a decline that is still on its way, the report of our own cancellation does not take its place', () => {
    const booking = held({ price: 1_000, currency: 'USD', leadMs: 48 * hour, policy: { ...defaultPolicy, payments: 'stripe' } });
    const send = (command: object) => booking.send({ ...command, by: SYSTEM } as never, start).map(({ type }) => type);
    send({ do: 'requestPayment' });
    expect(send({ do: 'recordRelease', attempt: 1, code: 'cancelled_outside' })).toEqual([]);
    expect(send({ do: 'recordDecline', attempt: 1, code: 'card_declined' })).toEqual(['payment.declined', 'booking.hold_extended']);
  });

  it('negative control: a provider that captures more than was authorised unbalances the books', () => {
    const booking = held({ price: 1_000, currency: 'USD', leadMs: 48 * hour, policy: { ...defaultPolicy, payments: 'stripe' } });
    const ledger = new Ledger();
    carryOut(booking, ledger, [][Symbol.iterator](), start);
    ledger.authorised.get(1)!.captured = 1_500;
    expect(() => expectBalanced(booking.state, ledger)).toThrow();
  });
});

function expectBalanced(state: BookingState, ledger: Ledger): void {
  for (const { amount, captured, released, refunded } of ledger.authorised.values()) {
    for (const value of [amount, captured, released, refunded]) expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
    expect(captured + released).toBeLessThanOrEqual(amount);
    expect(refunded).toBeLessThanOrEqual(captured);
  }
  for (const { attempt, captured, refunded } of state.payments) {
    const entry = ledger.authorised.get(attempt);
    expect({ captured, refunded }).toEqual({ captured: entry?.captured ?? 0, refunded: entry?.refunded ?? 0 });
  }
}

function tell(
  booking: ReturnType<typeof held>,
  { do: what, by, share = 0 }: { do: string; by: Actor; share?: number },
  now: number,
  price: number,
): void {
  const { state } = booking;
  const part = Math.floor((price * share) / 100);
  const meta = { ticket: 'T-1', reason: 'because' };
  const command = {
    completeBooking: { do: 'completeBooking', by: provider, finalPrice: part },
    rule: { do: 'intervene', by: operator, action: 'rule', refund: Math.min(part, state.charge), ...meta },
    retry: { do: 'intervene', by: operator, action: 'retry_payment', ...meta },
    writeOff: { do: 'intervene', by: operator, action: 'write_off', ...meta },
    payBooking: { do: 'payBooking', by: consumer },
    autoComplete: { do: 'autoComplete', by: SYSTEM },
    cancelUnpaid: { do: 'cancelUnpaid', by: SYSTEM },
    requestPayment: { do: 'requestPayment', by: SYSTEM },
    confirm: { do: 'confirm', by: SYSTEM },
  }[what] ?? { do: what, by };
  try {
    booking.send(command as never, now);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
  }
}
