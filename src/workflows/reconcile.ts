import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { ReconcileActivities, ReconcileSummary } from '../activities/reconcile.ts';
import { attention } from './attention.ts';

const { reconcile } = proxyActivities<ReconcileActivities>({
  startToCloseTimeout: '2h',
  // Detects a dead worker early, so that the next self-check does not wait for it.
  heartbeatTimeout: '15s',
  retry: { initialInterval: '2s', maximumInterval: '1m', maximumAttempts: 20 },
  summary: 'timelines, rows and runs',
});

/** The self-check of the whole system. A Schedule starts it, and so does a worker when it starts. */
export async function reconcileWorkflow(options: { quietMs: number }): Promise<ReconcileSummary> {
  const summary = await reconcile(options);
  const { checked, moved, started, caughtUp, disagreed, failed } = summary;
  setCurrentDetails(
    `${checked} streams · moved ${moved} · started ${started} · caught up ${caughtUp} · **${disagreed} disagree** · ${failed} not checked`,
  );
  if (disagreed + failed > 0) attention().flag('disagreements');
  return summary;
}
