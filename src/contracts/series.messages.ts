import { seriesVerbs } from '../domain/series/machine.ts';
import { updatesOf } from './update.messages.ts';

export const seriesWorkflowId = (seriesId: string) => `series/${seriesId}`;

/** The terms and every start stand in the first event of the timeline. */
export interface SeriesInput {
  seriesId: string;
}

/** The Updates of a series' run, one for each verb of `seriesVerbs`. */
export const seriesUpdates = updatesOf(seriesVerbs);
