import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { calendarImportType, calendarImportWorkflowId } from '../contracts/calendar-import.messages.ts';

/** Milliseconds after its last event in which the reconciler takes no run for behind: its command may still be being written. */
const quietMs = 5_000;

/**
 * Makes every Schedule that is missing: once when a worker starts, then every minute. A missing Schedule means that the whole
 * Temporal store was lost or replaced. The reconciler then runs at once.
 */
export async function ensureSchedules(temporal: Client, options: { starting: boolean }): Promise<void> {
  await ensureReconciler(temporal, options);
  await ensureCalendarImports(temporal);
}

/**
 * Runs the reconciler every five minutes, and once now: when a worker starts, or when the Schedule was missing. Workers that
 * start at the same time share one run.
 */
async function ensureReconciler(temporal: Client, { starting }: { starting: boolean }): Promise<void> {
  const made = await ensureSchedule(temporal, {
    scheduleId: 'proxie-reconcile',
    workflowId: 'reconcile',
    workflowType: 'reconcileWorkflow',
    args: [{ quietMs }],
    staticSummary: 'Timelines, rows and runs agree',
  });
  if (!starting && !made) return;
  try {
    await temporal.workflow.start('reconcileWorkflow', {
      workflowId: 'reconcile/start',
      taskQueue: 'proxie',
      args: [{ quietMs: 0 }],
      staticSummary: 'Self-check at start',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Looks every five minutes for calendars that are due. Most of the time none is. */
async function ensureCalendarImports(temporal: Client): Promise<void> {
  await ensureSchedule(temporal, {
    scheduleId: 'proxie-calendar-import',
    workflowId: calendarImportWorkflowId(),
    workflowType: calendarImportType,
    args: [{}],
    staticSummary: "Providers' own calendars",
  });
}

/** @returns whether the Schedule was missing */
async function ensureSchedule(
  temporal: Client,
  { scheduleId, ...action }: { scheduleId: string; workflowId: string; workflowType: string; args: unknown[]; staticSummary: string },
): Promise<boolean> {
  try {
    await temporal.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: '5m' }] },
      action: { type: 'startWorkflow', taskQueue: 'proxie', ...action },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
    });
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}
