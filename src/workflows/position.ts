import { setHandler } from '@temporalio/workflow';
import { catchUp, getPosition } from '../contracts/run.messages.ts';
import type { StreamState } from '../domain/timeline.ts';
import type { Actor } from './actor.ts';
import { needAttention } from './attention.ts';

/** Sets the handlers that every run has. Call this after the opening command has been queued. */
export function answerPosition<S extends StreamState, C>(actor: Actor<S, C>): void {
  setHandler(getPosition, () => actor.seq, { description: 'the last event this run has folded' });
  // A failing Signal handler would fail the run.
  setHandler(catchUp, () => actor.learn().catch(() => needAttention()), { description: 'folds what stands on the timeline now' });
}
