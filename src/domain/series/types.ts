import type { BookingHeld } from '../booking/types.ts';
import type { ErrorCode, RefusalDetail } from '../errors.ts';
import type { Currency } from '../money.ts';
import type { Policy } from '../policy.ts';
import type { OccurrenceStatus, SeriesStatus } from './machine.ts';
import type { CommandRefused, EventBase, StreamState } from '../timeline.ts';
import type { CommandMeta } from '../command.ts';

/** How many occurrences a series may have: one run lives through all of them. */
export const occurrenceCount = { min: 2, max: 26 } as const;

/** What is repeated: the terms of a booking that both sides know, and when. */
export interface SeriesTerms {
  seriesId: string;
  /** The booking it grows from, with its request and offer. */
  bookingId: string;
  requestId: string;
  offerId: string;
  consumerId: string;
  providerId: string;
  service: string;
  price: number;
  currency: Currency;
  zone: string;
  everyWeeks: number;
  durationMinutes: number;
  /** Instants RFC 3339, earliest first: counted once, by the clock of `zone`, so that no run needs to know zones. */
  starts: string[];
  policy: Policy;
}

type Slots = NonNullable<RefusalDetail['alternatives']>;

/** Occurrences count from 1. */
export type SeriesCommand = CommandMeta &
  (
    | { do: 'proposeSeries'; terms: SeriesTerms }
    | { do: 'acceptSeries' }
    | { do: 'declineSeries' }
    | { do: 'endSeries' }
    | { do: 'skipOccurrence'; n: number }
    | { do: 'moveOccurrence'; n: number; startsAt: string }
    | { do: 'bookOccurrence'; n: number; bookingId: string }
    | { do: 'missOccurrence'; n: number; startsAt: string; code: ErrorCode; alternatives?: Slots }
    | { do: 'expire' }
    | { do: 'finish' }
  );

interface OccurrenceSlot {
  n: number;
  startsAt: string;
  endsAt: string;
}

export type SeriesEvent = EventBase &
  (
    | ({ type: 'series.proposed'; expiresAt: string } & SeriesTerms)
    | { type: 'series.accepted' | 'series.declined' | 'series.expired' }
    | ({ type: 'series.occurrence_booked'; bookingId: string } & OccurrenceSlot)
    | ({ type: 'series.occurrence_missed'; code: ErrorCode; alternatives?: Slots } & OccurrenceSlot)
    | ({ type: 'series.occurrence_moved' } & OccurrenceSlot)
    | { type: 'series.occurrence_skipped'; n: number }
    | { type: 'series.ended'; code: 'finished' | 'ended_by_consumer' | 'ended_by_provider' }
  );

/** What a series' run appends: its own events, refusals, and the first event of each booking it opens. */
export type SeriesTimelineEvent = SeriesEvent | CommandRefused | (BookingHeld & EventBase);

export interface Occurrence {
  n: number;
  status: OccurrenceStatus;
  startsAt: string;
  /** How often the consumer has moved it. */
  moves: number;
  bookingId?: string;
}

export interface SeriesState extends StreamState {
  status: SeriesStatus;
  series: (Omit<SeriesTerms, 'starts' | 'policy'> & { expiresAt: string }) | null;
  policy: Policy | null;
  /** In the order of their numbers and of their times. */
  occurrences: Occurrence[];
}
