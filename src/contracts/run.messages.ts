// The query and the Signal that every run has.
import { defineQuery, defineSignal } from '@temporalio/workflow';

/**
 * The position of the last event of a stream that the run has folded. Without a stream, the one with the run's name is meant. For the
 * reconciler and operators; no route uses this query.
 */
export const getPosition = defineQuery<number, [string?]>('getPosition');
/**
 * The run reads its timeline and folds the events that it lacks. A run whose last Update was lost then knows of it at once, and not only at
 * its next timer.
 */
export const catchUp = defineSignal('catchUp');
