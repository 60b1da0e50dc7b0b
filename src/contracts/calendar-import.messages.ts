import { defineSignal } from '@temporalio/workflow';

export const calendarImportType = 'calendarImportWorkflow';

export interface CalendarImportInput {
  /** Reads this calendar only. Absent: reads all that are due. */
  importId?: string;
}

/** The id of the Schedule's run, or of the run for one calendar whose address was just stored. */
export const calendarImportWorkflowId = (importId?: string) => `calendar-import/${importId ?? 'due'}`;

/** Tells a run to look again. The Signal also works on a run that has just looked and is about to end. */
export const wakeCalendarImport = defineSignal('wake');
