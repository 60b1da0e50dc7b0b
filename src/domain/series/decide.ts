import type { Actor } from '../actor.ts';
import type { BookingSide } from '../booking/types.ts';
import { DomainError, invalid } from '../errors.ts';
import { defaultPolicy } from '../policy.ts';
import { nextSeriesStep } from './evolve.ts';
import { occurrenceMachine, seriesMachine } from './machine.ts';
import { occurrenceCount, type Occurrence, type SeriesCommand, type SeriesState, type SeriesTimelineEvent } from './types.ts';
import { iso } from '../time.ts';
import { tell } from '../timeline.ts';
import type { SeriesNews } from './machine.ts';

type Command<D extends SeriesCommand['do']> = Extract<SeriesCommand, { do: D }>;

/** The events that a command writes. @param now milliseconds since the epoch @throws DomainError the refusal */
export function decideSeries(state: SeriesState, command: SeriesCommand, now: number): SeriesTimelineEvent[] {
  if (command.do === 'proposeSeries') return state.series ? [] : propose(command, now);
  if (!state.series) throw new DomainError('timeline_behind', 'The series was never proposed.');
  switch (command.do) {
    case 'acceptSeries':
      return answer(state, command, 'accept', now);
    case 'declineSeries':
      return answer(state, command, 'decline', now);
    case 'endSeries':
      return end(state, command);
    case 'skipOccurrence': {
      const { n } = changeable(state, command.by, command.n, 'skip');
      return [
        { type: 'series.occurrence_skipped', n, reason: command.reason, ...both(state), ...telling('series_skipped', state, 'provider') },
      ];
    }
    case 'moveOccurrence':
      return move(state, command, now);
    case 'bookOccurrence':
      return book(state, command, now);
    case 'missOccurrence': {
      const { n, startsAt, code, alternatives } = command;
      // The occurrence may have been skipped or moved while its booking was refused.
      const occurrence = planned(state, n);
      return occurrence?.startsAt === startsAt ? [missed(state, occurrence, code, alternatives)] : [];
    }
    case 'expire':
      if (state.status !== 'proposed' || now < Date.parse(state.series.expiresAt)) return [];
      return [{ type: 'series.expired', ...both(state), ...telling('series_expired', state, 'consumer') }];
    case 'finish': {
      const next = nextSeriesStep(state, new Map());
      if (next?.do !== 'finish' || now < next.at) return [];
      return [{ type: 'series.ended', code: 'finished', ...both(state), ...tellBoth('series_finished', state) }];
    }
  }
}

function propose({ by, terms }: Command<'proposeSeries'>, now: number): SeriesTimelineEvent[] {
  if (by.id !== terms.consumerId) throw new DomainError('not_owner');
  const policy = { ...defaultPolicy, ...terms.policy };
  const starts = terms.starts.map((start) => Date.parse(start));
  const [first, last] = [starts[0]!, starts.at(-1)!];
  const { min, max } = occurrenceCount;
  if (starts.length < min || starts.length > max) throw invalid('/count', `must be ${min} to ${max}`);
  if (!starts.every((start, index) => index === 0 || start >= starts[index - 1]! + terms.durationMinutes * 60_000)) {
    throw invalid('/first', 'must lead to occurrences one after the other');
  }
  if (!(first > now)) throw invalid('/first', 'must be in the future');
  if (!(last <= now + policy.seriesSpanMs)) throw invalid('/first', `must lead to a last one before ${iso(now + policy.seriesSpanMs)}`);
  const both = [terms.consumerId, terms.providerId];
  return [
    {
      type: 'series.proposed',
      ...terms,
      policy,
      expiresAt: iso(Math.min(now + policy.rescheduleAnswerMs, first)),
      audience: both,
      notify: tell('series_proposed', terms.providerId),
    },
  ];
}

/** One yes of the provider covers every occurrence: nobody has to agree week by week. */
function answer(
  state: SeriesState,
  { by, reason }: Command<'acceptSeries' | 'declineSeries'>,
  move: 'accept' | 'decline',
  now: number,
): SeriesTimelineEvent[] {
  only('provider', state, by);
  seriesMachine.next(state.status, move);
  if (move === 'decline') return [{ type: 'series.declined', reason, ...both(state), ...telling('series_declined', state, 'consumer') }];
  if (Date.parse(state.series!.expiresAt) <= now)
    throw new DomainError('too_late', 'The proposal has run out.', { status: state.status, allowed: [] });
  return [{ type: 'series.accepted', ...both(state), ...telling('series_accepted', state, 'consumer') }];
}

/** Ends a series: no further occurrence is booked. Existing bookings stay; each is cancelled separately, by the rules of bookings. */
function end(state: SeriesState, { by, reason }: Command<'endSeries'>): SeriesTimelineEvent[] {
  const side = sideOf(state, by);
  if (side === 'provider' && state.status === 'proposed') {
    throw new DomainError('invalid_transition', 'It is only proposed: accept or decline it.', {
      status: 'proposed',
      allowed: ['accept', 'decline'],
    });
  }
  seriesMachine.next(state.status, 'end');
  const [code, other] = side === 'consumer' ? (['ended_by_consumer', 'provider'] as const) : (['ended_by_provider', 'consumer'] as const);
  return [{ type: 'series.ended', code, reason, ...both(state), ...telling('series_ended', state, other) }];
}

/** Moves one occurrence that has no booking yet. The occurrences keep their order, so that their numbers follow their times. */
function move(state: SeriesState, { by, n, startsAt, reason }: Command<'moveOccurrence'>, now: number): SeriesTimelineEvent[] {
  const occurrence = changeable(state, by, n, 'move');
  const limit = state.policy!.reschedulesPerParty;
  if (occurrence.moves >= limit) {
    throw new DomainError('reschedule_limit', `An occurrence may be moved ${limit} times.`, {
      status: occurrence.status,
      allowed: ['skip'],
    });
  }
  const start = Date.parse(startsAt);
  const { from, to } = roomFor(state, n, now);
  if (!(start > now && start >= from && start <= to) || start === Date.parse(occurrence.startsAt)) {
    throw invalid('/slot', `must be another time, from ${iso(from)} to ${iso(to)}, so that the order stays`);
  }
  const moved = { n, startsAt: iso(start), endsAt: iso(start + durationMs(state)) };
  return [{ type: 'series.occurrence_moved', ...moved, reason, ...both(state), ...telling('series_moved', state, 'provider') }];
}

/**
 * The range in which an occurrence may start, in milliseconds since the epoch: between its neighbours, in the future, and not too far
 * ahead.
 */
function roomFor(state: SeriesState, n: number, now: number): { from: number; to: number } {
  const others = state.occurrences.filter(({ status }) => status !== 'skipped');
  const before = others.findLast((other) => other.n < n);
  const after = others.find((other) => other.n > n);
  const from = before ? Date.parse(before.startsAt) + durationMs(state) : now;
  const to = after ? Date.parse(after.startsAt) - durationMs(state) : now + state.policy!.seriesSpanMs;
  return { from: Math.max(now, from), to };
}

function book(state: SeriesState, { n, bookingId }: Command<'bookOccurrence'>, now: number): SeriesTimelineEvent[] {
  const occurrence = planned(state, n);
  if (!occurrence) return [];
  const { startsAt } = occurrence;
  const policy = state.policy!;
  if (Date.parse(startsAt) <= now) return [missed(state, occurrence, 'too_late')];
  if (Date.parse(startsAt) - policy.seriesHorizonMs > now) return [];
  const { requestId, offerId, consumerId, providerId, service, price, currency, zone, seriesId } = state.series!;
  const slot = { startsAt, endsAt: iso(Date.parse(startsAt) + durationMs(state)) };
  return [
    { type: 'series.occurrence_booked', n, bookingId, ...slot, ...both(state) },
    {
      type: 'booking.held',
      stream: `booking/${bookingId}`,
      bookingId,
      requestId,
      offerId,
      consumerId,
      providerId,
      service,
      price,
      currency,
      zone,
      ...slot,
      policy,
      seriesId,
      heldUntil: iso(now + policy.holdMs),
      ...both(state),
    },
  ];
}

const planned = ({ status, occurrences }: SeriesState, n: number): Occurrence | undefined =>
  status === 'active' ? occurrences.find((one) => one.n === n && one.status === 'planned') : undefined;

function missed(
  state: SeriesState,
  { n, startsAt }: Occurrence,
  code: Command<'missOccurrence'>['code'],
  alternatives?: Command<'missOccurrence'>['alternatives'],
): SeriesTimelineEvent {
  const endsAt = iso(Date.parse(startsAt) + durationMs(state));
  return {
    type: 'series.occurrence_missed',
    n,
    startsAt,
    endsAt,
    code,
    ...(alternatives?.length && { alternatives }),
    ...both(state),
    ...tellBoth('series_missed', state),
  };
}

/** The occurrence, if this actor may skip or move it now. @throws forbidden_role, not_owner, not_found, invalid_transition */
function changeable(state: SeriesState, by: Actor, n: number, move: 'skip' | 'move'): Occurrence {
  only('consumer', state, by);
  const occurrence = state.occurrences.find((one) => one.n === n);
  if (!occurrence) throw new DomainError('not_found', 'This series has no such occurrence.');
  if (occurrence.bookingId) throw occurrenceIsBooked(occurrence.bookingId, move);
  if (state.status !== 'active') {
    const allowed = seriesMachine.allowed(state.status);
    throw new DomainError('invalid_transition', `Cannot ${move}: the series is ${state.status}.`, { status: state.status, allowed });
  }
  occurrenceMachine.next(occurrence.status, move);
  return occurrence;
}

/** The refusal to skip or move an occurrence that has a booking. The booking's own rules decide then: fees, and consent of both sides. */
export function occurrenceIsBooked(bookingId: string, move: 'skip' | 'move'): DomainError {
  const [command, verb] = move === 'skip' ? ['cancelBooking', 'cancel'] : ['proposeReschedule', 'reschedule'];
  return new DomainError('invalid_transition', `It is booked: ${verb} booking ${bookingId}.`, {
    status: 'booked',
    allowed: [command],
    ids: { bookingId },
  });
}

/** @throws not_owner for anybody but the two sides */
function sideOf({ series }: SeriesState, { id }: Actor): BookingSide {
  if (id === series!.consumerId) return 'consumer';
  if (id === series!.providerId) return 'provider';
  throw new DomainError('not_owner');
}

function only(side: BookingSide, state: SeriesState, by: Actor): void {
  if (sideOf(state, by) !== side) throw new DomainError('forbidden_role', `Only the ${side} can do this.`);
}

const durationMs = ({ series }: SeriesState): number => series!.durationMinutes * 60_000;

const idOf = ({ series }: SeriesState, side: BookingSide): string => (side === 'consumer' ? series!.consumerId : series!.providerId);

const both = ({ series }: SeriesState) => ({ audience: [series!.consumerId, series!.providerId] });

const telling = (kind: SeriesNews, state: SeriesState, side: BookingSide) => ({ notify: tell(kind, idOf(state, side)) });

const tellBoth = (kind: SeriesNews, { series }: SeriesState) => ({
  notify: tell(kind, series!.consumerId, series!.providerId),
});
