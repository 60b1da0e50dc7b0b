import { bookingMachine } from './booking.machine.ts';
import type { BookingCommand, BookingState, BookingTimelineEvent } from './booking.types.ts';
import { DomainError } from './errors.ts';
import { checkIntervention } from './operator.ts';
import type { BookingOutcome } from './request.types.ts';
import { remember, type Recorded } from './timeline.ts';

export const emptyBooking: BookingState = {
  status: 'held',
  opened: false,
  applied: [],
  booking: null,
  policy: null,
  reminded: [],
  confirmedAt: null,
  checkedInAt: null,
  finalPrice: null,
  outcome: null,
};

export const bookingIsOver = ({ status }: BookingState): boolean => !['held', 'confirmed', 'in_progress'].includes(status);

/** @throws DomainError the refusal. `now` is milliseconds since the epoch. */
export function decideBooking(state: BookingState, command: BookingCommand, now: number): BookingTimelineEvent[] {
  if (!state.opened) throw new DomainError('timeline_behind', 'The booking was never held.');
  const { consumerId, providerId, startsAt, price } = state.booking!;
  const both = { audience: [consumerId, providerId] };
  const tellBoth = (kind: string) => [consumerId, providerId].map((to) => ({ to, kind }));
  switch (command.do) {
    case 'confirm':
      if (state.status !== 'held') return [];
      // A hold that has run out is released, whatever else may still be true.
      if (Date.parse(state.booking!.heldUntil) < now) {
        return [{ type: 'booking.released', code: 'hold_expired', ...both, notify: tellBoth('booking_released') }];
      }
      return [{ type: 'booking.confirmed', ...both, notify: tellBoth('booking_confirmed') }];
    case 'remind':
      if (state.status !== 'confirmed' || state.reminded.includes(command.index)) return [];
      return [{ type: 'booking.reminded', index: command.index, ...both, notify: tellBoth('booking_reminder') }];
    case 'checkIn':
      partyOf(state, command.by.id);
      bookingMachine.next(state.status, 'checkIn');
      notBefore(Date.parse(startsAt) - state.policy!.checkInEarlyMs, now, 'Check-in opens');
      return [{ type: 'booking.checked_in', ...both }];
    case 'completeBooking': {
      if (partyOf(state, command.by.id) !== 'provider') throw new DomainError('forbidden_role', 'Only the provider completes a booking.');
      bookingMachine.next(state.status, 'complete');
      const finalPrice = command.finalPrice ?? price;
      if (finalPrice > price) {
        throw new DomainError('price_out_of_bounds', 'The final price may not be above the agreed one.', {
          fields: [{ field: '/finalPrice', message: `at most ${price}` }],
        });
      }
      return completed(state, { finalPrice, automatic: false, notify: [{ to: consumerId, kind: 'booking_completed' }] });
    }
    case 'autoComplete':
      if (bookingIsOver(state)) return [];
      // Nobody checked in and nobody complained: it took place.
      return [
        ...(state.status === 'confirmed' ? [{ type: 'booking.checked_in' as const, ...both }] : []),
        ...completed(state, { finalPrice: price, automatic: true, notify: tellBoth('booking_completed') }),
      ];
    case 'cancelBooking': {
      const side = command.by.role === 'admin' ? 'consumer' : partyOf(state, command.by.id);
      bookingMachine.next(state.status, 'cancel');
      const outcome: BookingOutcome = side === 'provider' ? 'provider_dropped' : 'cancelled';
      const notify = [{ to: side === 'provider' ? consumerId : providerId, kind: 'booking_cancelled' }];
      return [{ type: 'booking.cancelled', outcome, reason: command.reason, ...both, notify }];
    }
    case 'reportNoShow': {
      const side = partyOf(state, command.by.id);
      bookingMachine.next(state.status, 'reportNoShow');
      notBefore(Date.parse(startsAt) + state.policy!.noShowGraceMs, now, 'A no-show can be reported');
      return [
        { type: 'booking.no_show', absent: side === 'consumer' ? 'provider' : 'consumer', ...both, notify: tellBoth('booking_no_show') },
      ];
    }
    case 'intervene': {
      checkIntervention(command, ['cancel', 'complete']);
      const intervened: BookingTimelineEvent = {
        type: 'operator.intervened',
        action: command.action,
        ticket: command.ticket,
        reason: command.reason,
      };
      if (command.action === 'cancel') {
        bookingMachine.next(state.status, 'cancel');
        return [
          intervened,
          { type: 'booking.cancelled', outcome: 'cancelled', reason: command.reason, ...both, notify: tellBoth('booking_cancelled') },
        ];
      }
      bookingMachine.next(state.status, 'complete');
      return [intervened, ...completed(state, { finalPrice: price, automatic: true, notify: tellBoth('booking_completed') })];
    }
  }
}

/** What a written event means. */
export function evolveBooking(before: BookingState, event: Recorded<BookingTimelineEvent>): BookingState {
  const state = { ...before, applied: remember(before.applied, event.commandId) };
  switch (event.type) {
    case 'booking.held': {
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
      return { ...state, opened: true, booking, policy };
    }
    case 'booking.confirmed':
      return { ...state, status: bookingMachine.next(state.status, 'confirm'), confirmedAt: event.at };
    case 'booking.released':
      return { ...state, status: bookingMachine.next(state.status, 'release'), outcome: 'released' };
    case 'booking.reminded':
      return { ...state, reminded: [...state.reminded, event.index] };
    case 'booking.checked_in':
      return { ...state, status: bookingMachine.next(state.status, 'checkIn'), checkedInAt: event.at };
    case 'booking.completed':
      return { ...state, status: bookingMachine.next(state.status, 'complete'), finalPrice: event.finalPrice, outcome: 'completed' };
    case 'booking.cancelled':
      return { ...state, status: bookingMachine.next(state.status, 'cancel'), outcome: event.outcome };
    case 'booking.no_show':
      return { ...state, status: bookingMachine.next(state.status, 'reportNoShow'), outcome: 'no_show' };
    case 'review.opened':
    case 'operator.intervened':
    case 'command.refused':
      return state;
  }
}

/** The end of the job opens its reviews in the same transaction: neither exists without the other. */
function completed(
  state: BookingState,
  end: { finalPrice: number; automatic: boolean; notify: { to: string; kind: string }[] },
): BookingTimelineEvent[] {
  const { bookingId, consumerId, providerId } = state.booking!;
  const { version, reviewRemindMs, reviewPublishMs } = state.policy!;
  const audience = [consumerId, providerId];
  return [
    { type: 'booking.completed', ...end, audience },
    {
      type: 'review.opened',
      stream: `review/${bookingId}`,
      bookingId,
      consumerId,
      providerId,
      policy: { version, reviewRemindMs, reviewPublishMs },
      audience,
      notify: audience.map((to) => ({ to, kind: 'review_requested' })),
    },
  ];
}

function partyOf(state: BookingState, actorId: string): 'consumer' | 'provider' {
  if (actorId === state.booking!.consumerId) return 'consumer';
  if (actorId === state.booking!.providerId) return 'provider';
  throw new DomainError('not_owner');
}

function notBefore(instantMs: number, now: number, what: string): void {
  if (now < instantMs) {
    throw new DomainError('too_early', `${what} at ${new Date(instantMs).toISOString()}.`, {
      retryAfterS: Math.ceil((instantMs - now) / 1000),
    });
  }
}
