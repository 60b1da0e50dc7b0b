import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { ReconcileActivities, ReconcileSummary } from '../activities/reconcile.ts';
import { needAttention } from './attention.ts';

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
  const { checked, started, caughtUp, told, disagreed, failed } = summary;
  setCurrentDetails(
    `${checked} streams · started ${started} · caught up ${caughtUp} · told ${told} · **${disagreed} disagree** · ${failed} not checked`,
  );
  if (disagreed + failed > 0) needAttention();
  return summary;
}
