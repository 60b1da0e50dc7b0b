import { bookingMachine } from './machine.ts';
import { cancelled, completed, settling } from './end.ts';
import { intervene } from './intervene.ts';
import { openPayments } from './money.ts';
import { checkObjection, closedBooking, isObjection } from './objection.ts';
import { payBooking, recordPayment, requestPayment, type PaymentCommand } from './payment.ts';
import { answerReschedule, dropReschedule, proposeReschedule } from './reschedule.ts';
import { both, checkInOpens, deadlinePassed, isOver, movesMoney, notBefore, partyOf, priceOf, tellBoth } from './state.ts';
import type { BookingCommand, BookingSide, BookingState, BookingTimelineEvent } from './types.ts';
import { cancellationQuote, finalPriceBounds, noShowFee } from './charge.ts';
import { DomainError } from '../errors.ts';
import { formatMoney } from '../money.ts';
import type { BookingOutcome } from '../terms.ts';
import { iso } from '../time.ts';
import { tell } from '../timeline.ts';

type Command<D extends BookingCommand['do']> = Extract<BookingCommand, { do: D }>;

/** The events that a command writes. @param now milliseconds since the epoch @throws DomainError the refusal */
export function decideBooking(state: BookingState, command: BookingCommand, now: number): BookingTimelineEvent[] {
  try {
    return decide(state, command, now);
  } catch (error) {
    // The run may go on for other streams after the booking's end. The refusal is the one that the API makes when the run has ended.
    const closed = isOver(state) && !state.settling && !isObjection(command.do);
    throw closed && error instanceof DomainError && error.code === 'invalid_transition' ? closedBooking(state.status) : error;
  }
}

function decide(state: BookingState, command: BookingCommand, now: number): BookingTimelineEvent[] {
  if (!state.opened) throw new DomainError('timeline_behind', 'The booking was never held.');
  switch (command.do) {
    case 'confirm':
      return confirm(state, command, now);
    case 'release':
      return release(state, command.code);
    case 'remind':
      if (state.status !== 'confirmed' || state.reminded.includes(command.index)) return [];
      return [{ type: 'booking.reminded', index: command.index, ...both(state), ...tellBoth(state, 'booking_reminder') }];
    case 'checkIn':
      partyOf(state, command.by.id);
      bookingMachine.next(state.status, 'checkIn');
      checkInOpens(state.booking!.startsAt, state.policy!, now);
      return [{ type: 'booking.checked_in', ...both(state) }];
    case 'completeBooking':
      return complete(state, command);
    case 'autoComplete':
      return autoComplete(state, now);
    case 'cancelBooking':
      return cancel(state, command, now);
    case 'cancelUnpaid':
      if (state.status !== 'confirmed') return [];
      return [
        cancelled(
          state,
          { outcome: 'payment_failed', side: 'operator', code: 'payment_failed', fee: 0 },
          tellBoth(state, 'booking_cancelled'),
        ),
      ];
    case 'proposeReschedule':
      return proposeReschedule(state, command, now);
    case 'answerReschedule':
      return answerReschedule(state, command, now);
    case 'dropReschedule':
      return dropReschedule(state, command.code);
    case 'reportNoShow':
      return reportNoShow(state, command.by.id, now);
    case 'contestNoShow':
    case 'disputeBooking':
      return object(state, command, now);
    case 'payBooking':
      return payBooking(state, command.by.id, now);
    case 'requestPayment':
      return requestPayment(state);
    case 'recordAuthorisation':
    case 'recordDecline':
    case 'recordCapture':
    case 'recordRelease':
    case 'recordRefund':
    case 'reportStuck':
    case 'closeMoney':
      return recordPayment(state, command as PaymentCommand, now);
    case 'intervene':
      return intervene(state, command);
  }
}

function confirm(state: BookingState, { remindAt }: Command<'confirm'>, now: number): BookingTimelineEvent[] {
  if (state.status !== 'held') return [];
  // An expired hold is never confirmed. It is released; `release` waits until its payments are undone.
  if (deadlinePassed(state.booking!.heldUntil, now)) return release(state, 'hold_expired');
  if (movesMoney(state) && !state.payments.some(({ status }) => status === 'authorised')) return [];
  return [{ type: 'booking.confirmed', ...(remindAt && { remindAt }), ...both(state), ...tellBoth(state, 'booking_confirmed') }];
}

/** Releases a hold. Compensations run newest first: open payments are undone before the slot is given up. */
function release(state: BookingState, code: string): BookingTimelineEvent[] {
  if (state.status !== 'held' || openPayments(state).length) return [];
  return [{ type: 'booking.released', code, ...both(state), ...tellBoth(state, 'booking_released') }];
}

function complete(state: BookingState, { by, finalPrice = state.booking!.price }: Command<'completeBooking'>): BookingTimelineEvent[] {
  if (partyOf(state, by.id) !== 'provider') throw new DomainError('forbidden_role', 'Only the provider completes a booking.');
  bookingMachine.next(state.status, 'complete');
  const { min, max } = finalPriceBounds(priceOf(state), state.policy!.finalPrice);
  if (!Number.isSafeInteger(finalPrice) || finalPrice < min || finalPrice > max) {
    const { currency } = state.booking!;
    const [from, to] = [formatMoney({ amount: min, currency }), formatMoney({ amount: max, currency })];
    throw new DomainError('price_out_of_bounds', `The final price has to be between ${from} and ${to}.`, {
      fields: [{ field: '/finalPrice', message: `${from} to ${to}` }],
    });
  }
  return completed(state, { finalPrice, automatic: false, notify: tell('booking_completed', state.booking!.consumerId) });
}

/** Completes a booking by itself after its end. A booking without check-in or complaint counts as having taken place. */
function autoComplete(state: BookingState, now: number): BookingTimelineEvent[] {
  if (state.status !== 'confirmed' && state.status !== 'in_progress') return [];
  // A new slot may have been agreed on while this command waited for its turn.
  if (Date.parse(state.booking!.endsAt) + state.policy!.autoCompleteMs > now) return [];
  return [
    ...(state.status === 'confirmed' ? [{ type: 'booking.checked_in' as const, ...both(state) }] : []),
    ...completed(state, { finalPrice: state.booking!.price, automatic: true, ...tellBoth(state, 'booking_completed') }),
  ];
}

function cancel(state: BookingState, { by, reason, fee: agreed }: Command<'cancelBooking'>, now: number): BookingTimelineEvent[] {
  const side = by.role === 'admin' ? 'operator' : partyOf(state, by.id);
  bookingMachine.next(state.status, 'cancel');
  const { startsAt, consumerId, providerId } = state.booking!;
  const fee = side === 'consumer' ? cancellationQuote(priceOf(state), startsAt, state.policy!.cancellation, now).fee : 0;
  if (agreed !== undefined && fee > agreed) {
    const { currency } = state.booking!;
    throw new DomainError('fee_changed', `Cancelling costs ${formatMoney({ amount: fee, currency })} now.`, { allowed: ['cancelBooking'] });
  }
  const outcome: BookingOutcome = side === 'provider' ? 'provider_dropped' : 'cancelled';
  const others = { consumer: [providerId], provider: [consumerId], operator: [consumerId, providerId] }[side];
  return [cancelled(state, { outcome, side, fee, reason }, { notify: tell('booking_cancelled', ...others) })];
}

function reportNoShow(state: BookingState, actorId: string, now: number): BookingTimelineEvent[] {
  const side = partyOf(state, actorId);
  bookingMachine.next(state.status, 'reportNoShow');
  const { noShowGraceMs, contestMs, cancellation } = state.policy!;
  notBefore(Date.parse(state.booking!.startsAt) + noShowGraceMs, now, 'A no-show can be reported');
  const absent: BookingSide = side === 'consumer' ? 'provider' : 'consumer';
  const contestUntil = iso(now + contestMs);
  const fee = noShowFee(priceOf(state), cancellation, absent);
  return [
    { type: 'booking.no_show', absent, fee, contestUntil, ...settling(state), ...both(state), ...tellBoth(state, 'booking_no_show') },
  ];
}

function object(
  state: BookingState,
  { do: objection, by, reason }: Command<'contestNoShow' | 'disputeBooking'>,
  now: number,
): BookingTimelineEvent[] {
  const side = partyOf(state, by.id);
  checkObjection(objection, state, side, state.policy!, now);
  const { consumerId, providerId } = state.booking!;
  const other = side === 'consumer' ? providerId : consumerId;
  return [{ type: 'booking.disputed', side, reason, ...both(state), notify: tell('booking_disputed', other) }];
}
