import { proxyActivities, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { CalendarImportActivities, ImportedCalendars } from '../activities/calendar-import.ts';
import { wakeCalendarImport, type CalendarImportInput } from '../contracts/calendar-import.messages.ts';

const { importCalendars } = proxyActivities<CalendarImportActivities>({
  taskQueue: 'proxie-outbound',
  startToCloseTimeout: '15m',
  heartbeatTimeout: '2m',
  // A database that is away; calendars that cannot be read are no failure of ours. The next run is minutes away.
  retry: { initialInterval: '2s', maximumInterval: '1m', maximumAttempts: 10 },
  summary: 'calendars that are due',
});

/** Started by a Schedule, and for one calendar when its address is stored. */
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
