import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { calendarImportType, calendarImportWorkflowId } from '../contracts/calendar-import.messages.ts';

/** A command that is being written now is not behind. */
const quietMs = 5_000;

/**
 * Every Schedule there has to be; once at a worker's start, and again and again: one that is missing means that the whole
 * Temporal store was lost or replaced.
 */
export async function ensureSchedules(temporal: Client, options: { starting: boolean }): Promise<void> {
  await ensureReconciler(temporal, options);
  await ensureCalendarImports(temporal);
}

/**
 * The reconciler every five minutes; once now at a worker's start, and whenever the Schedule was missing. Runs of several
 * workers fall together.
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

/** Looks every five minutes which calendars are due; nothing is due most of the time. */
async function ensureCalendarImports(temporal: Client): Promise<void> {
  await ensureSchedule(temporal, {
    scheduleId: 'proxie-calendar-import',
    workflowId: calendarImportWorkflowId(),
    workflowType: calendarImportType,
    args: [{}],
    staticSummary: "Providers' own calendars",
  });
}

/** @returns whether it was missing */
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
