// Questions about a booking that many of its rules ask.
import type { BookingSide, BookingState } from './types.ts';
import { amountToAuthorise } from './charge.ts';
import { DomainError } from '../errors.ts';
import type { Money } from '../money.ts';
import type { Policy } from '../policy.ts';
import { iso } from '../time.ts';
import { tell } from '../timeline.ts';
import type { BookingNews } from './machine.ts';

/** Whether nothing is left to decide. A disputed booking is not over: it waits for its ruling. */
export const isOver = ({ status }: BookingState): boolean => !['held', 'confirmed', 'in_progress', 'disputed'].includes(status);

export const priceOf = ({ booking }: BookingState): Money => ({ amount: booking!.price, currency: booking!.currency });

/** The audience of an event that both sides may see. */
export const both = ({ booking }: BookingState): { audience: string[] } => ({ audience: [booking!.consumerId, booking!.providerId] });

export const tellBoth = ({ booking }: BookingState, kind: BookingNews): { notify: { to: string; kind: BookingNews }[] } => ({
  notify: tell(kind, booking!.consumerId, booking!.providerId),
});

/** Whether Proxie moves money for this booking. A booking that costs nothing needs no authorisation. */
export const movesMoney = (state: BookingState): boolean =>
  state.policy !== null && state.policy.payments !== 'none' && amountToAuthorise(priceOf(state), state.policy) > 0;

/** @throws not_owner for anybody but the two sides */
export function partyOf({ booking }: BookingState, actorId: string): BookingSide {
  if (actorId === booking!.consumerId) return 'consumer';
  if (actorId === booking!.providerId) return 'provider';
  throw new DomainError('not_owner');
}

/** @param instant RFC 3339 @param now milliseconds since the epoch */
export const deadlinePassed = (instant: string, now: number): boolean => Date.parse(instant) <= now;

/** @throws too_early */
export const checkInOpens = (startsAt: string, { checkInEarlyMs }: Pick<Policy, 'checkInEarlyMs'>, now: number): void =>
  notBefore(Date.parse(startsAt) - checkInEarlyMs, now, 'Check-in opens');

/**
 * @param what begins the sentence of the refusal, e.g. `Check-in opens`
 * @throws too_early naming the instant from which on it is possible
 */
export function notBefore(instantMs: number, now: number, what: string): void {
  if (now < instantMs) {
    throw new DomainError('too_early', `${what} at ${iso(instantMs)}.`, {
      retryAfterS: Math.ceil((instantMs - now) / 1000),
    });
  }
}
