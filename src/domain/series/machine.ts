import { defineMachine } from '../machine.ts';

/** A repeated booking: proposed by the consumer, agreed to by the provider once, then booked one by one. */
export const seriesMachine = defineMachine('series', ['proposed', 'active', 'declined', 'expired', 'ended'], {
  accept: { from: ['proposed'], to: 'active' },
  decline: { from: ['proposed'], to: 'declined' },
  expire: { from: ['proposed'], to: 'expired' },
  end: { from: ['proposed', 'active'], to: 'ended' },
});
export type SeriesStatus = (typeof seriesMachine.statuses)[number];

/** One time of a series until it has a booking of its own, which then lives by the booking's machine. */
export const occurrenceMachine = defineMachine('occurrence', ['planned', 'booked', 'missed', 'skipped'], {
  book: { from: ['planned'], to: 'booked' },
  miss: { from: ['planned'], to: 'missed' },
  skip: { from: ['planned', 'missed'], to: 'skipped' },
  move: { from: ['planned', 'missed'], to: 'planned' },
});
export type OccurrenceStatus = (typeof occurrenceMachine.statuses)[number];
