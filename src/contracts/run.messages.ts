// What every run answers, whatever its noun.
import { defineQuery, defineSignal } from '@temporalio/workflow';

/** Position the run has folded: for the reconciler and operators. No route ever asks. */
export const getPosition = defineQuery<number>('getPosition');
/** Folds what stands on the timeline now. A run whose last Update was lost learns of it here, not at its next timer. */
export const catchUp = defineSignal('catchUp');
