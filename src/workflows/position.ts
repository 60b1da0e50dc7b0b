import { setHandler, workflowInfo } from '@temporalio/workflow';
import { catchUp, getPosition } from '../contracts/run.messages.ts';
import type { Streams } from './streams.ts';

/** Sets the handlers that every run has. Call this after the opening command has been queued. */
export function answerPosition(run: Streams): void {
  setHandler(getPosition, (stream = workflowInfo().workflowId) => run.positionOf(stream), {
    description: 'the last event of a stream that this run has folded',
  });
  // A failing Signal handler would fail the run.
  const learn = () =>
    run.learn().then(
      () => run.attention.flag('catchUp', false),
      () => run.attention.flag('catchUp'),
    );
  setHandler(catchUp, learn, {
    description: 'folds what stands on the timelines now, and tries again what is parked',
  });
}
