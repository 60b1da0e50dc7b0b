import { proxyActivities } from '@temporalio/workflow';
import type { ReconcileActivities, ReconcileReport } from '../activities/reconcile.ts';

const { reconcile } = proxyActivities<ReconcileActivities>({
  startToCloseTimeout: '10m',
  retry: { initialInterval: '2s', maximumInterval: '1m', maximumAttempts: 20 },
  summary: 'timelines, rows and runs',
});

/** Started by a Schedule and when a worker starts: the whole system's self-check. */
export async function reconcileWorkflow(options: { quietMs: number; limit: number }): Promise<ReconcileReport> {
  return reconcile(options);
}
