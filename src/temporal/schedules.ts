import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';

/** A command that is being written now is not behind. */
const quietMs = 5_000;

/**
 * The reconciler every five minutes; once now at a worker's start, and whenever the Schedule was missing: then the whole
 * Temporal store was lost or replaced. Runs of several workers fall together.
 */
export async function ensureReconciler(temporal: Client, { starting }: { starting: boolean }): Promise<void> {
  const action = {
    type: 'startWorkflow' as const,
    workflowType: 'reconcileWorkflow',
    workflowId: 'reconcile',
    taskQueue: 'proxie',
    args: [{ quietMs }],
  };
  let missing = true;
  try {
    await temporal.schedule.create({
      scheduleId: 'proxie-reconcile',
      spec: { intervals: [{ every: '5m' }] },
      action: { ...action, staticSummary: 'Timelines, rows and runs agree' },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    missing = false;
  }
  if (!starting && !missing) return;
  try {
    await temporal.workflow.start(action.workflowType, {
      workflowId: 'reconcile/start',
      taskQueue: action.taskQueue,
      args: [{ quietMs: 0 }],
      staticSummary: 'Self-check at start',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
