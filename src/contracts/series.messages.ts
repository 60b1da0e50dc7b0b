import { seriesVerbs } from '../domain/series/machine.ts';
import { updatesOf } from './update.messages.ts';

export const seriesWorkflowId = (seriesId: string) => `series/${seriesId}`;

/** The terms and every start stand in the first event of the timeline. */
export interface SeriesInput {
  seriesId: string;
}

/** What somebody outside may ask of it: see `seriesVerbs`. */
export const seriesUpdates = updatesOf(seriesVerbs);
