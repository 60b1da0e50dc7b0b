// Reschedules by consent: the old slot stays until the other side has said yes and the new slot is held.
import { both, deadlinePassed, partyOf } from './state.ts';
import type { BookingCommand, BookingState, BookingTimelineEvent } from './types.ts';
import { DomainError, invalid } from '../errors.ts';
import { iso } from '../time.ts';
import { tell } from '../timeline.ts';
import type { BookingNews } from './machine.ts';

type Command<D extends BookingCommand['do']> = Extract<BookingCommand, { do: D }>;

const pending = ({ reschedule }: BookingState, now: number) =>
  reschedule && !deadlinePassed(reschedule.expiresAt, now) ? reschedule : null;

/**
 * One side proposes a new slot. @param now milliseconds since the epoch
 * @throws not_owner, invalid_transition, too_late, reschedule_pending, reschedule_limit, validation_failed
 */
export function proposeReschedule(state: BookingState, command: Command<'proposeReschedule'>, now: number): BookingTimelineEvent[] {
  const side = partyOf(state, command.by.id);
  confirmed(state, 'proposeReschedule');
  const { startsAt: oldStart, endsAt: oldEnd, zone, consumerId, providerId } = state.booking!;
  if (deadlinePassed(oldStart, now)) throw new DomainError('too_late', 'The slot has begun.', { status: state.status });
  if (pending(state, now)) throw new DomainError('reschedule_pending', undefined, { allowed: ['answerReschedule'] });
  const limit = state.policy!.reschedulesPerParty;
  if (state.reschedulesBy[side] >= limit)
    throw new DomainError('reschedule_limit', `Each side may propose ${limit} times.`, { allowed: ['cancelBooking'] });
  const start = Date.parse(command.startsAt);
  if (!(start > now) || start === Date.parse(oldStart)) {
    throw invalid('/slot', 'must be another slot, in the future');
  }
  return [
    // A proposal that has expired is closed first.
    ...(state.reschedule ? dropReschedule(state, 'expired') : []),
    {
      type: 'reschedule.proposed',
      side,
      startsAt: iso(start),
      // The slot keeps its length.
      endsAt: iso(start + Date.parse(oldEnd) - Date.parse(oldStart)),
      zone: command.zone ?? zone,
      expiresAt: iso(Math.min(now + state.policy!.rescheduleAnswerMs, Date.parse(oldStart), start)),
      reason: command.reason,
      ...both(state),
      notify: tell('reschedule_proposed', side === 'consumer' ? providerId : consumerId),
    },
  ];
}

/**
 * The other side says yes or no to a proposed slot. The proposer may only say no, which withdraws the proposal.
 * @param now milliseconds since the epoch
 * @throws not_owner, invalid_transition, too_late, not_your_turn
 */
export function answerReschedule(state: BookingState, command: Command<'answerReschedule'>, now: number): BookingTimelineEvent[] {
  const side = partyOf(state, command.by.id);
  confirmed(state, 'answerReschedule');
  const proposal = pending(state, now);
  if (!proposal) {
    throw new DomainError(state.reschedule ? 'too_late' : 'invalid_transition', 'No proposed slot waits for an answer.', {
      status: state.status,
      allowed: ['proposeReschedule'],
    });
  }
  const { consumerId, providerId } = state.booking!;
  const other = side === 'consumer' ? providerId : consumerId;
  const told = (kind: BookingNews) => ({ ...both(state), notify: tell(kind, other) });
  if (!command.accept) {
    if (side === proposal.side) return [{ type: 'reschedule.withdrawn', ...told('reschedule_withdrawn') }];
    return [{ type: 'reschedule.declined', reason: command.reason, ...told('reschedule_declined') }];
  }
  if (side === proposal.side) throw new DomainError('not_your_turn');
  const { startsAt, endsAt, zone } = proposal;
  const { remindAt } = command;
  return [{ type: 'booking.rescheduled', startsAt, endsAt, zone, ...(remindAt && { remindAt }), ...told('booking_rescheduled') }];
}

/** Drops a proposal that has expired or whose slot is gone, and tells its proposer. @param code why */
export function dropReschedule(state: BookingState, code: string): BookingTimelineEvent[] {
  if (!state.reschedule) return [];
  const { consumerId, providerId } = state.booking!;
  const proposer = state.reschedule.side === 'consumer' ? consumerId : providerId;
  return [{ type: 'reschedule.expired', code, ...both(state), notify: tell('reschedule_expired', proposer) }];
}

function confirmed({ status }: BookingState, what: string): void {
  if (status !== 'confirmed') {
    throw new DomainError('invalid_transition', `The booking is ${status}: ${what} is not possible.`, { status, allowed: [] });
  }
}
