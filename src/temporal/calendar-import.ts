import type { Client } from '@temporalio/client';
import {
  calendarImportType,
  calendarImportWorkflowId,
  wakeCalendarImport,
  type CalendarImportInput,
} from '../contracts/calendar-import.messages.ts';

/** Milliseconds that the request which stores an address waits for Temporal. */
const patienceMs = 2_000;

/**
 * Reads one calendar now. A run that is already reading this calendar reads it once more.
 * @throws when Temporal cannot be reached in time; the Schedule then reads the calendar within minutes
 */
export async function importCalendarNow(temporal: Client, importId: string): Promise<void> {
  const input: CalendarImportInput = { importId };
  await temporal.withDeadline(Date.now() + patienceMs, () =>
    temporal.workflow.signalWithStart(calendarImportType, {
      workflowId: calendarImportWorkflowId(importId),
      taskQueue: 'proxie',
      signal: wakeCalendarImport,
      args: [input],
      staticSummary: 'A calendar whose address was stored',
    }),
  );
}
