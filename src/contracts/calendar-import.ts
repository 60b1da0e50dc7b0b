import { z } from 'zod';
import { importFaults, type ImportFault } from '../domain/calendar/import.ts';
import { Instant } from './common.ts';

export const importsPerProvider = 5;

export const CalendarImportName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be 1 to 32 small letters, digits or hyphens')
  .meta({ description: 'Yours to choose, e.g. `private`' });

export const PutCalendarImport = z
  .strictObject({
    url: z
      .string()
      .trim()
      .min(1)
      .max(2_048)
      // Calendar apps write `webcal:` or `webcals:` instead of `https:`.
      .transform((url) => url.replace(/^webcals?:/i, 'https:'))
      .meta({ description: 'Where your calendar is published as iCalendar: https on port 443, without a redirect' }),
  })
  .meta({ id: 'PutCalendarImport', example: { url: 'https://example.com/calendars/alice.ics' } });

export const CalendarImportView = z
  .strictObject({
    name: z.string(),
    host: z.string().meta({ description: 'Of the address; the address itself is a secret and not shown again' }),
    status: z
      .enum(['waiting', 'read', 'failing'])
      .meta({ description: 'waiting: not read yet · failing: the last try failed, what was read before still counts as busy' }),
    fault: z.strictObject({ code: z.enum(Object.keys(importFaults) as ImportFault[]), title: z.string() }).nullable(),
    failures: z.int().meta({ description: 'In a row' }),
    lastReadAt: Instant.nullable(),
    nextTryAt: Instant,
    busyTimes: z.int().meta({ description: 'Busy times it adds to your calendar, overlapping ones joined' }),
  })
  .meta({ id: 'CalendarImport' });
export type CalendarImportView = z.infer<typeof CalendarImportView>;

export const CalendarImportList = z.strictObject({ items: z.array(CalendarImportView) }).meta({ id: 'CalendarImportList' });
