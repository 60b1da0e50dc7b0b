import { defaultPolicy } from '../policy.ts';
import { occurrenceMachine, seriesMachine } from './machine.ts';
import type { Occurrence, SeriesState, SeriesTimelineEvent } from './types.ts';
import { remember, type Recorded } from '../timeline.ts';

export const emptySeries: SeriesState = { status: 'proposed', applied: [], series: null, policy: null, occurrences: [] };

export const seriesIsOver = ({ status }: SeriesState): boolean => seriesMachine.terminal.includes(status);

/** Folds one written event into the state. */
export function evolveSeries(before: SeriesState, event: Recorded<SeriesTimelineEvent>): SeriesState {
  const state = { ...before, applied: remember(before.applied, event.commandId) };
  switch (event.type) {
    case 'series.proposed':
      return proposed(state, event);
    case 'series.accepted':
      return { ...state, status: seriesMachine.next(state.status, 'accept') };
    case 'series.declined':
      return ended(state, 'decline');
    case 'series.expired':
      return ended(state, 'expire');
    case 'series.ended':
      return ended(state, 'end');
    case 'series.occurrence_booked':
      return changed(state, event.n, 'book', () => ({ bookingId: event.bookingId }));
    case 'series.occurrence_missed':
      return changed(state, event.n, 'miss');
    case 'series.occurrence_skipped':
      return changed(state, event.n, 'skip');
    case 'series.occurrence_moved':
      return changed(state, event.n, 'move', ({ moves }) => ({ startsAt: event.startsAt, moves: moves + 1 }));
    case 'booking.held':
    case 'command.refused':
      return state;
  }
}

function proposed(state: SeriesState, event: Extract<Recorded<SeriesTimelineEvent>, { type: 'series.proposed' }>): SeriesState {
  const { seriesId, bookingId, requestId, offerId, consumerId, providerId, service, price, currency, zone } = event;
  const { everyWeeks, durationMinutes, expiresAt, starts, policy } = event;
  const terms = { seriesId, bookingId, requestId, offerId, consumerId, providerId, service, price, currency, zone, everyWeeks };
  return {
    ...state,
    series: { ...terms, durationMinutes, expiresAt },
    // Policies of earlier releases lack some fields. These fields take their defaults.
    policy: { ...defaultPolicy, ...policy },
    occurrences: starts.map((startsAt, index) => ({ n: index + 1, status: occurrenceMachine.initial, startsAt, moves: 0 })),
  };
}

/** Planned occurrences become `skipped`. Booked occurrences keep their bookings. */
function ended(state: SeriesState, move: 'decline' | 'expire' | 'end'): SeriesState {
  const occurrences = state.occurrences.map((occurrence): Occurrence =>
    occurrence.status === 'planned' ? { ...occurrence, status: 'skipped' } : occurrence,
  );
  return { ...state, status: seriesMachine.next(state.status, move), occurrences };
}

function changed(
  state: SeriesState,
  n: number,
  move: Parameters<typeof occurrenceMachine.next>[1],
  change: (occurrence: Occurrence) => Partial<Occurrence> = () => ({}),
): SeriesState {
  const occurrences = state.occurrences.map((occurrence) =>
    occurrence.n === n ? { ...occurrence, ...change(occurrence), status: occurrenceMachine.next(occurrence.status, move) } : occurrence,
  );
  return { ...state, occurrences };
}

/** The next step of the run's clock. `at`: milliseconds since the epoch. `n`: number of the occurrence to book. */
export type SeriesStep = { at: number } & ({ do: 'expire' | 'finish' } | { do: 'book'; n: number });

/**
 * @param notBefore by start of an occurrence (RFC 3339): when to try its booking again, in milliseconds since the epoch; set where the
 * provider's calendar did not reach that far yet
 * @returns null when the series is over
 */
export function nextSeriesStep(
  { status, series, policy, occurrences }: SeriesState,
  notBefore: ReadonlyMap<string, number>,
): SeriesStep | null {
  if (!series || !policy) return null;
  if (status === 'proposed') return { do: 'expire', at: Date.parse(series.expiresAt) };
  if (status !== 'active') return null;
  const [next] = occurrences
    .filter((occurrence) => occurrence.status === 'planned')
    .map(({ n, startsAt }) => ({ n, at: Math.max(Date.parse(startsAt) - policy.seriesHorizonMs, notBefore.get(startsAt) ?? 0) }))
    .sort((a, b) => a.at - b.at);
  if (next) return { do: 'book', ...next };
  // A missed occurrence may still be moved until its time comes.
  const missed = occurrences.filter((occurrence) => occurrence.status === 'missed');
  return { do: 'finish', at: Math.max(0, ...missed.map(({ startsAt }) => Date.parse(startsAt))) };
}
