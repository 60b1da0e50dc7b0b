// Statuses and moves of a series and its occurrences, and the verbs of a series.
import { defineMachine } from '../machine.ts';
import type { Currency } from '../money.ts';
import type { Policy } from '../policy.ts';
import { carries, type KindOf, type Verbs } from '../verb.ts';

/** A repeated booking: proposed by the consumer, agreed to by the provider once, then booked one by one. */
export const seriesMachine = defineMachine('series', ['proposed', 'active', 'declined', 'expired', 'ended'], {
  accept: { from: ['proposed'], to: 'active' },
  decline: { from: ['proposed'], to: 'declined' },
  expire: { from: ['proposed'], to: 'expired' },
  end: { from: ['proposed', 'active'], to: 'ended' },
});
export type SeriesStatus = (typeof seriesMachine.statuses)[number];

/** One occurrence of a series. Once the occurrence has a booking, the booking's machine applies. */
export const occurrenceMachine = defineMachine('occurrence', ['planned', 'booked', 'missed', 'skipped'], {
  book: { from: ['planned'], to: 'booked' },
  miss: { from: ['planned'], to: 'missed' },
  skip: { from: ['planned', 'missed'], to: 'skipped' },
  move: { from: ['planned', 'missed'], to: 'planned' },
});
export type OccurrenceStatus = (typeof occurrenceMachine.statuses)[number];

/** The terms of a series: those of a booking that both sides know, and the starts of all occurrences. */
export interface SeriesTerms {
  seriesId: string;
  /** The booking that the series repeats, with its request and offer. */
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
  /**
   * Starts of the occurrences: RFC 3339, earliest first. The API computes them once, from the wall clock of `zone`, so that no run needs
   * zone data.
   */
  starts: string[];
  policy: Policy;
}

const sides = ['consumer', 'provider'] as const;

/** Occurrences count from 1. */
export const seriesVerbs = {
  proposeSeries: {
    by: ['consumer'],
    carries: carries<{ terms: SeriesTerms }>(),
    notifies: ['series_proposed'],
    says: 'the consumer proposes a repetition',
  },
  acceptSeries: {
    by: sides,
    move: 'accept',
    notifies: ['series_accepted'],
    says: 'the provider agrees',
    route: { path: '/series/:seriesId/accept', summary: 'Provider: one yes to every occurrence', errors: ['too_late'] },
  },
  declineSeries: {
    by: sides,
    move: 'decline',
    notifies: ['series_declined'],
    says: 'the provider does not want it',
    route: { path: '/series/:seriesId/decline', summary: 'Provider: no' },
  },
  endSeries: {
    by: sides,
    move: 'end',
    notifies: ['series_ended'],
    says: 'nothing more is booked',
    route: {
      path: '/series/:seriesId/end',
      summary: 'Either side: nothing more is booked',
      description:
        'What is booked already stays booked: cancel those bookings one by one. The consumer takes a proposal back with it, too.',
    },
  },
  skipOccurrence: {
    by: sides,
    from: ['active'],
    carries: carries<{ n: number }>(),
    notifies: ['series_skipped'],
    says: 'one occurrence is left out',
    route: {
      path: '/series/:seriesId/occurrences/:n/skip',
      summary: 'Consumer: leave one occurrence out',
      description: 'Before it is booked. Once it is, its booking is cancelled like any other.',
    },
  },
  moveOccurrence: {
    by: sides,
    from: ['active'],
    carries: carries<{ n: number; startsAt: string }>(),
    notifies: ['series_moved'],
    says: 'one occurrence gets another time',
    route: {
      path: '/series/:seriesId/occurrences/:n/move',
      summary: 'Consumer: another time for one occurrence',
      description:
        'Before it is booked, and also when it could not be; it stays between its neighbours and keeps its length. Once it is booked, its booking is rescheduled.',
      errors: ['validation_failed', 'local_time_gap', 'slot_taken', 'outside_slot_rules', 'reschedule_limit'],
    },
  },
} as const satisfies Verbs;

/** Kinds of notifications about a series: those that verbs cause, and those that the run's clock causes. */
export type SeriesNews = KindOf<typeof seriesVerbs> | 'series_expired' | 'series_missed' | 'series_finished';
