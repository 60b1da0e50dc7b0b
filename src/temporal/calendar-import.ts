import type { Client } from '@temporalio/client';
import {
  calendarImportType,
  calendarImportWorkflowId,
  wakeCalendarImport,
  type CalendarImportInput,
} from '../contracts/calendar-import.messages.ts';

/** How long somebody who stores an address waits for the start of its reading. */
const patienceMs = 2_000;

/**
 * Reads one calendar now; a run that is at it already looks once more.
 * @throws when Temporal does not take it: the Schedule reads the calendar within minutes all the same
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
