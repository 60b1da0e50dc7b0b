// Requests to the payment provider and their results, as commands that the run gives to itself.
import { capturedBy, dueStep, isUncovered, unpaidAt } from './money.ts';
import { both, deadlinePassed, isOver, movesMoney, partyOf, priceOf } from './state.ts';
import type { BookingCommand, BookingState, BookingTimelineEvent, PaymentState } from './types.ts';
import { amountToAuthorise } from './charge.ts';
import { DomainError } from '../errors.ts';
import { paymentMachine } from './machine.ts';
import { iso } from '../time.ts';
import { tell } from '../timeline.ts';

export type PaymentCommand = Extract<
  BookingCommand,
  { do: 'recordAuthorisation' | 'recordDecline' | 'recordCapture' | 'recordRelease' | 'recordRefund' | 'reportStuck' | 'closeMoney' }
>;

const isRequested = ({ status }: PaymentState) => status === 'requested';

/**
 * The consumer tries to pay again after a decline, perhaps with another method. @throws forbidden_role, not_owner, invalid_transition,
 * too_late
 */
export function payBooking(state: BookingState, actorId: string, now: number): BookingTimelineEvent[] {
  if (partyOf(state, actorId) !== 'consumer') throw new DomainError('forbidden_role', 'Only the consumer pays.');
  if (state.payments.some(isRequested)) return []; // a payment is requested already
  const declined = state.payments.at(-1)?.status === 'declined';
  const waits = (state.status === 'held' || unpaidAt(state) !== null || isUncovered(state)) && declined;
  if (!waits) throw new DomainError('invalid_transition', 'No payment waits for you.', { status: state.status, allowed: [] });
  if (state.status === 'held' && deadlinePassed(state.booking!.heldUntil, now)) throw new DomainError('too_late', 'The hold has run out.');
  return [requestOf(state), ...(state.stuck ? [{ type: 'payment.resumed' as const }] : [])];
}

/** Writes the request of a payment before the provider is asked. From then on the timeline knows that a payment may have to be undone. */
export function requestPayment(state: BookingState): BookingTimelineEvent[] {
  const wanted = isOver(state) ? isUncovered(state) : state.status !== 'disputed';
  if (!movesMoney(state) || !wanted || state.payments.some(isRequested)) return [];
  return [requestOf(state)];
}

function requestOf(state: BookingState): BookingTimelineEvent {
  const owed = state.charge - capturedBy(state);
  const amount = isOver(state) ? owed : amountToAuthorise(priceOf(state), state.policy!);
  return { type: 'payment.requested', attempt: state.payments.length + 1, amount, ...both(state) };
}

/** Records a result of the payment provider. Activities may report twice: a result that is known or no longer fits changes nothing. */
export function recordPayment(state: BookingState, command: PaymentCommand, now: number): BookingTimelineEvent[] {
  if (command.do === 'closeMoney') {
    const done = isOver(state) && state.settling && dueStep(state) === null && !isUncovered(state);
    return done ? [{ type: 'payment.closed', ...both(state) }] : [];
  }
  if (command.do === 'reportStuck') {
    return state.stuck ? [] : [{ type: 'payment.stuck', step: command.step, code: command.code }];
  }
  const payment = state.payments.find(({ attempt }) => attempt === command.attempt);
  if (!payment) return [];
  const { attempt } = payment;
  const can = (move: Parameters<typeof paymentMachine.can>[1]) => paymentMachine.can(payment.status, move);
  switch (command.do) {
    case 'recordAuthorisation':
      return can('authorise')
        ? [{ type: 'payment.authorised', attempt, ref: command.ref, lapsesAt: command.lapsesAt, ...both(state) }]
        : [];
    case 'recordDecline':
      return can('decline') ? declined(state, attempt, command.code, now) : [];
    case 'recordCapture':
      return can('capture') ? [{ type: 'payment.captured', attempt, amount: command.amount, ...both(state) }] : [];
    case 'recordRelease': {
      // The activity reports the result of a requested payment. A webhook does not count here: the provider also reports cancellations that
      // our own steps have made.
      const early = command.code === 'cancelled_outside' && payment.status === 'requested';
      if (early || !can('release')) return [];
      return [{ type: 'payment.released', attempt, code: command.code, ...both(state) }];
    }
    case 'recordRefund':
      if (payment.refunded + command.amount > payment.captured) return [];
      return [
        {
          type: 'payment.refunded',
          attempt,
          amount: command.amount,
          ...both(state),
          notify: tell('payment_refunded', state.booking!.consumerId),
        },
      ];
  }
}

/** Tells the consumer, who may try again. For that, a hold is extended once. */
function declined(state: BookingState, attempt: number, code: string, now: number): BookingTimelineEvent[] {
  // Only the consumer learns why the payment was declined.
  const { consumerId } = state.booking!;
  const told = { audience: [consumerId], notify: tell('payment_declined', consumerId) };
  const event: BookingTimelineEvent = { type: 'payment.declined', attempt, code, ...told };
  if (state.status !== 'held' || state.holdExtended) return [event];
  const heldUntil = iso(Math.max(Date.parse(state.booking!.heldUntil), now + state.policy!.holdExtensionMs));
  return [event, { type: 'booking.hold_extended', heldUntil, ...both(state) }];
}
