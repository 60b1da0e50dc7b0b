// Who may object to how a booking ended, and until when: one rule for the run, which decides, and for the API, which does not
// start a run again for nothing.
import { bookingMachine, type BookingStatus } from './machine.ts';
import type { BookingSide } from './types.ts';
import { DomainError } from '../errors.ts';
import type { Policy } from '../policy.ts';

export type Objection = 'contestNoShow' | 'disputeBooking';

export interface BookingEnd {
  status: BookingStatus;
  /** RFC 3339; null while it has not ended. */
  endedAt: string | null;
  /** Who is said not to have come. */
  absent: BookingSide | null;
}

/** @throws invalid_transition naming what is possible instead, forbidden_role, too_late. `now` is milliseconds since the epoch. */
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
