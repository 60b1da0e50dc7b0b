import type { BookingHeld } from '../booking/types.ts';
import type { ErrorCode, RefusalDetail } from '../errors.ts';
import type { Policy } from '../policy.ts';
import type { OccurrenceStatus, SeriesNews, SeriesStatus, SeriesTerms, seriesVerbs } from './machine.ts';
import type { CommandRefused, EventBase, StreamState } from '../timeline.ts';
import type { CommandMeta } from '../command.ts';
import type { CommandOf } from '../verb.ts';

/** Number of occurrences that a series may have. One run serves all of them, so the number is bounded. */
export const occurrenceCount = { min: 2, max: 26 } as const;

type Slots = NonNullable<RefusalDetail['alternatives']>;

/** Commands that the run gives to itself. */
type SeriesStep = CommandMeta &
  (
    | { do: 'bookOccurrence'; n: number; bookingId: string }
    | { do: 'missOccurrence'; n: number; startsAt: string; code: ErrorCode; alternatives?: Slots }
    | { do: 'expire' }
    | { do: 'finish' }
  );

export type SeriesCommand = CommandOf<typeof seriesVerbs> | SeriesStep;

interface OccurrenceSlot {
  n: number;
  startsAt: string;
  endsAt: string;
}

export type SeriesEvent = EventBase<SeriesNews> &
  (
    | ({ type: 'series.proposed'; expiresAt: string } & SeriesTerms)
    | { type: 'series.accepted' | 'series.declined' | 'series.expired' }
    | ({ type: 'series.occurrence_booked'; bookingId: string } & OccurrenceSlot)
    | ({ type: 'series.occurrence_missed'; code: ErrorCode; alternatives?: Slots } & OccurrenceSlot)
    | ({ type: 'series.occurrence_moved' } & OccurrenceSlot)
    | { type: 'series.occurrence_skipped'; n: number }
    | { type: 'series.ended'; code: 'finished' | 'ended_by_consumer' | 'ended_by_provider' }
  );

/** The events that a series' run appends: its own, refusals, and the first event of each booking it opens. */
export type SeriesTimelineEvent = SeriesEvent | CommandRefused | (BookingHeld & EventBase);

export interface Occurrence {
  n: number;
  status: OccurrenceStatus;
  startsAt: string;
  /** How often the consumer has moved the occurrence. */
  moves: number;
  bookingId?: string;
}

export interface SeriesState extends StreamState {
  status: SeriesStatus;
  series: (Omit<SeriesTerms, 'starts' | 'policy'> & { expiresAt: string }) | null;
  policy: Policy | null;
  /** Ordered by number, which is also the order of their times. */
  occurrences: Occurrence[];
}
