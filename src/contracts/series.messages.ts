import { defineUpdate } from '@temporalio/workflow';
import type { SeriesTerms } from '../domain/series/types.ts';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';

export const seriesWorkflowId = (seriesId: string) => `series/${seriesId}`;

/** The terms and every start stand in the first event of the timeline. */
export interface SeriesInput {
  seriesId: string;
}

export const proposeSeries = defineUpdate<CommandAnswer, [CommandMeta & { terms: SeriesTerms }]>('proposeSeries');
export const acceptSeries = defineUpdate<CommandAnswer, [CommandMeta]>('acceptSeries');
export const declineSeries = defineUpdate<CommandAnswer, [CommandMeta]>('declineSeries');
export const endSeries = defineUpdate<CommandAnswer, [CommandMeta]>('endSeries');
export const skipOccurrence = defineUpdate<CommandAnswer, [CommandMeta & { n: number }]>('skipOccurrence');
export const moveOccurrence = defineUpdate<CommandAnswer, [CommandMeta & { n: number; startsAt: string }]>('moveOccurrence');
