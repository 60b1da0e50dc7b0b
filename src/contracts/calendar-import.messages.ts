import { defineSignal } from '@temporalio/workflow';

export const calendarImportType = 'calendarImportWorkflow';

export interface CalendarImportInput {
  /** Only this one; else whatever is due. */
  importId?: string;
}

/** The Schedule's runs, and those right after somebody has stored an address. */
export const calendarImportWorkflowId = (importId?: string) => `calendar-import/${importId ?? 'due'}`;

/** There is something to read, also for a run that has just looked and is about to end. */
export const wakeCalendarImport = defineSignal('wake');
