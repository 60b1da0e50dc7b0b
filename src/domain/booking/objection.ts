// Who may object to a booking's end, and until when. The run decides by this rule. The API checks it first, because it must not start a run
// again for an objection that would be refused.
import { bookingMachine, type BookingStatus } from './machine.ts';
import type { BookingSide } from './types.ts';
import { DomainError } from '../errors.ts';
import type { Policy } from '../policy.ts';

export type Objection = 'contestNoShow' | 'disputeBooking';

export interface BookingEnd {
  status: BookingStatus;
  /** RFC 3339; null while the booking has not ended. */
  endedAt: string | null;
  /** The side that was reported absent. */
  absent: BookingSide | null;
}

/**
 * Passes if `side` may object now. @param now milliseconds since the epoch
 * @throws invalid_transition naming the possible objection, forbidden_role, too_late
 */
export function checkObjection(
  objection: Objection,
  { status, endedAt, absent }: BookingEnd,
  side: BookingSide,
  policy: Policy,
  now: number,
): void {
  bookingMachine.next(status, 'dispute');
  const fitting: Objection = status === 'no_show' ? 'contestNoShow' : 'disputeBooking';
  if (objection !== fitting) {
    const instead = status === 'no_show' ? 'Contest the no-show instead.' : 'Nobody was called absent: dispute the booking instead.';
    throw new DomainError('invalid_transition', instead, { status, allowed: [fitting] });
  }
  if (objection === 'contestNoShow' && side !== absent) {
    throw new DomainError('forbidden_role', 'Only the side that is said to have been absent contests it.');
  }
  const windowMs = objection === 'contestNoShow' ? policy.contestMs : policy.disputeMs;
  if (now > Date.parse(endedAt!) + windowMs) throw new DomainError('too_late', 'The time to object has passed.', { status });
}
