// Who may object to a booking's end, and until when. The run decides by this rule. The API checks it first, because it must not start a run
// again for an objection that would be refused.
import { bookingMachine, type BookingStatus } from './machine.ts';
import type { BookingSide } from './types.ts';
import { DomainError } from '../errors.ts';
import type { Policy } from '../policy.ts';

export type Objection = 'contestNoShow' | 'disputeBooking';

export const isObjection = (verb: string): verb is Objection => verb === 'contestNoShow' || verb === 'disputeBooking';

/** The objection that fits a booking that has ended like this. */
const fitting: Partial<Record<BookingStatus, Objection>> = { completed: 'disputeBooking', no_show: 'contestNoShow' };

/** The refusal of every other verb when nothing is left to do for a booking: it names the objection that fits, if one does. */
export function closedBooking(status: BookingStatus): DomainError {
  const objection = fitting[status];
  return new DomainError('invalid_transition', `The booking is ${status}.`, { status, allowed: objection ? [objection] : [] });
}

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
  if (objection !== fitting[status]) {
    const instead = status === 'no_show' ? 'Contest the no-show instead.' : 'Nobody was called absent: dispute the booking instead.';
    throw new DomainError('invalid_transition', instead, { status, allowed: [fitting[status]!] });
  }
  if (objection === 'contestNoShow' && side !== absent) {
    throw new DomainError('forbidden_role', 'Only the side that is said to have been absent contests it.');
  }
  const windowMs = objection === 'contestNoShow' ? policy.contestMs : policy.disputeMs;
  if (now > Date.parse(endedAt!) + windowMs) throw new DomainError('too_late', 'The time to object has passed.', { status });
}
