import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { ReconcileActivities, ReconcileSummary } from '../activities/reconcile.ts';
import { needAttention } from './attention.ts';

const { reconcile } = proxyActivities<ReconcileActivities>({
  startToCloseTimeout: '2h',
  // A worker that dies in the middle of it must not keep the next self-check waiting.
  heartbeatTimeout: '15s',
  retry: { initialInterval: '2s', maximumInterval: '1m', maximumAttempts: 20 },
  summary: 'timelines, rows and runs',
});

/** Started by a Schedule and when a worker starts: the whole system's self-check. */
export async function reconcileWorkflow(options: { quietMs: number }): Promise<ReconcileSummary> {
  const summary = await reconcile(options);
  const { checked, started, caughtUp, told, disagreed, failed } = summary;
  setCurrentDetails(
    `${checked} streams · started ${started} · caught up ${caughtUp} · told ${told} · **${disagreed} disagree** · ${failed} not checked`,
  );
  if (disagreed + failed > 0) needAttention();
  return summary;
}
