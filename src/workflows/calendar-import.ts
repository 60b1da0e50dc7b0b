import { proxyActivities, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { CalendarImportActivities, ImportedCalendars } from '../activities/calendar-import.ts';
import { wakeCalendarImport, type CalendarImportInput } from '../contracts/calendar-import.messages.ts';

const { importCalendars } = proxyActivities<CalendarImportActivities>({
  taskQueue: 'proxie-outbound',
  startToCloseTimeout: '15m',
  heartbeatTimeout: '2m',
  // The retries are for a database that is away. A calendar that cannot be read does not fail the activity. The next run comes within
  // minutes.
  retry: { initialInterval: '2s', maximumInterval: '1m', maximumAttempts: 10 },
  summary: 'calendars that are due',
});

/** Reads all calendars that are due, started by a Schedule; or one calendar, started when its address is stored. */
export async function calendarImportWorkflow(input: CalendarImportInput = {}): Promise<ImportedCalendars> {
  let woken = true;
  const total: ImportedCalendars = { read: 0, unchanged: 0, failed: 0 };
  setHandler(wakeCalendarImport, () => void (woken = true), { description: 'the address was stored again' });

  while (woken) {
    woken = false;
    const { read, unchanged, failed } = await importCalendars(input);
    total.read += read;
    total.unchanged += unchanged;
    total.failed += failed;
  }
  setCurrentDetails(`read ${total.read} · unchanged ${total.unchanged} · failed ${total.failed}`);
  return total;
}
