// External calendars of a provider, whose events make the provider busy here.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { listImports, putImport, removeImport } from '../../db/queries/calendar-import.ts';
import { DomainError } from '../../domain/errors.ts';
import { importCalendarNow } from '../../temporal/calendar-import.ts';
import type { Api } from '../http/deps.ts';
import { changeProviderRows } from './provider-change.ts';
import { route } from '../http/route.ts';
import {
  CalendarImportList,
  CalendarImportName,
  CalendarImportView,
  importsPerProvider,
  PutCalendarImport,
} from '../../contracts/calendar-import.ts';

const common = { auth: ['provider'] } as const;

export function calendarImportRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      ...common,
      method: 'get',
      path: '/providers/me/calendar-imports',
      summary: 'Your own calendars whose events make you busy here, and how reading them went',
      response: CalendarImportList,
      errors: [],
    },
    async ({ actor }) => ({ items: await listImports(db(), actor.id) }),
  );

  const named = { ...common, params: z.strictObject({ name: CalendarImportName }) } as const;

  route(
    api,
    {
      ...named,
      method: 'put',
      path: '/providers/me/calendar-imports/:name',
      summary: 'Take busy times from a calendar of yours, or read it again now',
      description:
        'The calendar is read within seconds and then every half hour. Busy times close all your seats; existing bookings stay. A calendar that cannot be read keeps its last busy times.',
      body: PutCalendarImport,
      response: CalendarImportView,
      rate: { name: 'calendar-import', points: 30, windowS: 3_600 },
      errors: ['not_found', 'unsafe_url', 'validation_failed'],
    },
    async (call) => {
      const { name } = call.params;
      const url = await safeUrl(call.body.url);
      let importId = '';
      await changeProviderRows(api, call, async (tx) => {
        const others = (await listImports(tx, call.actor.id)).filter((other) => other.name !== name);
        if (others.length >= importsPerProvider) throw tooMany();
        const stored = await putImport(tx, call.actor.id, { id: randomUUID(), name, url });
        importId = stored.id;
        return stored.changed ? [{ type: 'provider.calendar_import_changed', importId }] : [];
      });
      // The calendar is stored. If Temporal is away now, the Schedule reads the calendar when it is due.
      if (importId)
        await importCalendarNow(api.temporal, importId).catch((error: unknown) =>
          call.log.warn({ err: error }, 'a calendar is read later'),
        );
      return (await listImports(db(), call.actor.id)).find((one) => one.name === name)!;
    },
  );

  route(
    api,
    {
      ...named,
      method: 'delete',
      path: '/providers/me/calendar-imports/:name',
      summary: 'Forget a calendar and its busy times',
      errors: ['not_found'],
    },
    async (call) => {
      await changeProviderRows(api, call, async (tx) => {
        const importId = await removeImport(tx, call.actor.id, call.params.name);
        return importId ? [{ type: 'provider.calendar_import_removed', importId }] : [];
      });
      return undefined;
    },
  );

  /** Adds the field to the refusal. The message says which rule is broken, but not which address a name resolves to. */
  async function safeUrl(url: string): Promise<string> {
    await api.checkUrl(url).catch((error: unknown) => {
      if (!(error instanceof DomainError) || error.code !== 'unsafe_url') throw error;
      throw new DomainError('unsafe_url', error.message, { fields: [{ field: '/url', message: error.message }] });
    });
    return new URL(url).href;
  }
}

const tooMany = () =>
  new DomainError('validation_failed', `You have ${importsPerProvider} calendars already: remove one first.`, {
    fields: [{ field: '/name', message: `at most ${importsPerProvider} calendars` }],
  });
