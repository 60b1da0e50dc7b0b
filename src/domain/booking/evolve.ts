import { bookingMachine, paymentMachine } from './machine.ts';
import { capturedBy, refundedBy } from './money.ts';
import type { BookingState, BookingTimelineEvent, PaymentState } from './types.ts';
import { defaultPolicy, ofFirstRelease } from '../policy.ts';
import { remember, type Recorded } from '../timeline.ts';

export const emptyBooking: BookingState = {
  status: 'held',
  opened: false,
  applied: [],
  booking: null,
  policy: null,
  firstRelease: false,
  remindAt: null,
  reminded: [],
  plannedAt: null,
  checkedInAt: null,
  endedAt: null,
  finalPrice: null,
  outcome: null,
  absent: null,
  holdExtended: false,
  reschedule: null,
  reschedulesBy: { consumer: 0, provider: 0 },
  payments: [],
  charge: 0,
  refundDue: 0,
  stuck: null,
  settling: false,
};

/** Folds one written event into the state. */
export function evolveBooking(before: BookingState, event: Recorded<BookingTimelineEvent>): BookingState {
  const state = { ...before, applied: remember(before.applied, event.commandId) };
  switch (event.type) {
    case 'booking.held':
      return held(state, event);
    case 'booking.hold_extended':
      return { ...state, holdExtended: true, booking: { ...state.booking!, heldUntil: event.heldUntil } };
    case 'booking.confirmed':
      return { ...state, status: bookingMachine.next(state.status, 'confirm'), plannedAt: event.at, remindAt: event.remindAt ?? null };
    case 'booking.released': {
      const unpaid = state.payments.length > 0;
      return {
        ...state,
        status: bookingMachine.next(state.status, 'release'),
        outcome: unpaid ? 'payment_failed' : 'released',
        settling: event.settling ?? false,
      };
    }
    case 'booking.reminded':
      return { ...state, reminded: [...state.reminded, event.index] };
    case 'booking.checked_in':
      return { ...state, status: bookingMachine.next(state.status, 'checkIn'), checkedInAt: event.at, reschedule: null };
    case 'booking.completed': {
      const status = bookingMachine.next(state.status, 'complete');
      const { finalPrice } = event;
      return { ...ended(state, event), status, finalPrice, charge: finalPrice, outcome: 'completed' };
    }
    case 'booking.cancelled': {
      // Timelines of the first release have no fee.
      const { fee = 0, outcome } = event;
      return { ...ended(state, event), status: bookingMachine.next(state.status, 'cancel'), charge: fee, outcome };
    }
    case 'booking.no_show': {
      const { fee = 0, absent } = event;
      return { ...ended(state, event), status: bookingMachine.next(state.status, 'reportNoShow'), charge: fee, absent, outcome: 'no_show' };
    }
    case 'booking.disputed':
      return { ...state, status: bookingMachine.next(state.status, 'dispute') };
    case 'booking.settled': {
      const { refund, settling = false } = event;
      return { ...state, status: bookingMachine.next(state.status, 'settle'), refundDue: refund, settling };
    }
    case 'booking.rescheduled': {
      const { startsAt, endsAt, zone, remindAt = null, at } = event;
      const booking = { ...state.booking!, startsAt, endsAt, zone };
      return { ...state, booking, remindAt, plannedAt: at, reminded: [], reschedule: null };
    }
    case 'reschedule.proposed': {
      const { side, startsAt, endsAt, zone, expiresAt } = event;
      const reschedulesBy = { ...state.reschedulesBy, [side]: state.reschedulesBy[side] + 1 };
      return { ...state, reschedulesBy, reschedule: { side, startsAt, endsAt, zone, expiresAt } };
    }
    case 'reschedule.declined':
    case 'reschedule.withdrawn':
    case 'reschedule.expired':
      return { ...state, reschedule: null };
    case 'payment.requested': {
      const { attempt, amount, at } = event;
      const payment: PaymentState = {
        attempt,
        status: paymentMachine.initial,
        amount,
        captured: 0,
        refunded: 0,
        ref: null,
        requestedAt: at,
        lapsesAt: null,
      };
      return { ...state, payments: [...state.payments, payment] };
    }
    case 'payment.authorised':
      return withPayment(state, event.attempt, 'authorise', { ref: event.ref, lapsesAt: event.lapsesAt });
    case 'payment.declined':
      return withPayment(state, event.attempt, 'decline');
    case 'payment.captured':
      return withPayment(state, event.attempt, 'capture', { captured: event.amount });
    case 'payment.released':
      return withPayment(state, event.attempt, 'release');
    case 'payment.refunded': {
      const payments = state.payments.map((payment) =>
        payment.attempt === event.attempt ? { ...payment, refunded: payment.refunded + event.amount } : payment,
      );
      return { ...state, payments };
    }
    case 'payment.stuck':
      return { ...state, stuck: { step: event.step, code: event.code } };
    case 'payment.resumed':
      return { ...state, stuck: null };
    case 'payment.written_off':
      return { ...state, charge: capturedBy(state), refundDue: Math.min(state.refundDue, refundedBy(state)) };
    case 'payment.closed':
      return { ...state, settling: false };
    case 'review.opened':
    case 'operator.intervened':
    case 'command.refused':
      return state;
  }
}

function held(state: BookingState, event: Extract<Recorded<BookingTimelineEvent>, { type: 'booking.held' }>): BookingState {
  const {
    type: _type,
    policy,
    seq: _seq,
    commandId: _commandId,
    at: _at,
    by: _by,
    audience: _audience,
    notify: _notify,
    stream: _stream,
    ...booking
  } = event;
  // Policies of earlier releases lack some fields. These fields take their defaults.
  return { ...state, opened: true, booking, policy: { ...defaultPolicy, ...policy }, firstRelease: ofFirstRelease(policy) };
}

const ended = (state: BookingState, { at, settling = false }: { at: string; settling?: boolean }): BookingState => ({
  ...state,
  endedAt: at,
  reschedule: null,
  settling,
});

function withPayment(
  state: BookingState,
  attempt: number,
  move: Parameters<typeof paymentMachine.next>[1],
  change: Partial<PaymentState> = {},
): BookingState {
  const payments = state.payments.map((payment) =>
    payment.attempt === attempt ? { ...payment, ...change, status: paymentMachine.next(payment.status, move) } : payment,
  );
  return { ...state, payments };
}
