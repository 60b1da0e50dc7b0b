import { z } from 'zod';
import { ChangedException, ExceptionView, LocalDate, PutException } from '../../contracts/calendar.ts';
import { idFrom } from '../../contracts/ids.ts';
import type { Db } from '../../db/orm.ts';
import { bookingsWithin, hoursAround, putException, removeException, type LockedProvider } from '../../db/provider-rows.ts';
import { exceptionById, listExceptions, zoneOf } from '../../db/queries/exception.ts';
import { dayNumber, type DatedException } from '../../domain/calendar/availability.ts';
import { DomainError } from '../../domain/errors.ts';
import { exceptionFaults } from '../../domain/calendar/exception.ts';
import { clockOf, dayMs } from '../../domain/calendar/local-time.ts';
import { pageOf, PageQuery } from '../http/cursor.ts';
import type { Api } from '../http/deps.ts';
import { changeProviderRows, type OwnChange } from './provider-change.ts';
import { reply, route } from '../http/route.ts';

const path = '/providers/me/exceptions';
const one = z.strictObject({ exceptionId: z.uuid() });
const common = { auth: ['provider'], etag: ({ seq }: { seq: number }) => seq } as const;
const changing = { ...common, body: PutException, response: ChangedException, ifMatch: 'optional' } as const;

/** Closed days, vacations and extra hours: exceptions to a provider's weekly hours. */
export function exceptionRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      ...common,
      method: 'get',
      path,
      summary: 'Your dated exceptions, by date',
      query: z.strictObject({
        ...PageQuery.shape,
        from: LocalDate.optional().meta({ description: 'Only exceptions that are not over on this date' }),
      }),
      response: pageOf(ExceptionView).extend({ seq: z.int() }),
      errors: ['not_found'],
    },
    async ({ actor, query: { limit, cursor, from } }) => {
      const scope = JSON.stringify(['exceptions', actor.id, from]);
      const { items, seq } = await listExceptions(db(), actor.id, { limit, after: api.cursors.open(scope, cursor), from });
      const page = api.cursors.page(scope, items, limit, ({ fromDate, startMinute, id }) => [fromDate, startMinute ?? -1, id]);
      return { ...page, seq };
    },
  );

  route(
    api,
    {
      ...common,
      method: 'get',
      path: `${path}/:exceptionId`,
      summary: 'One exception',
      params: one,
      response: ExceptionView,
      errors: ['not_found'],
    },
    ({ actor, params }) => exceptionById(db(), actor.id, params.exceptionId),
  );

  route(
    api,
    {
      ...changing,
      method: 'post',
      path,
      summary: 'Close a day or a stretch of days, or add hours to them',
      description: 'Bookings that exist stay; the answer names those in a closed time.',
      status: 201,
      errors: ['not_found'],
    },
    async (call) => {
      const id = idFrom(call.commandId, 'exception');
      const exception = dated(call.body);
      await changeProviderRows(api, call, async (tx, provider) => {
        await put(tx, provider, call.actor.id, id, exception);
        return [{ type: 'provider.exception_added', exceptionId: id, kind: exception.kind }];
      });
      return reply(201, await changed(call, id, exception));
    },
  );

  route(
    api,
    { ...changing, method: 'put', path: `${path}/:exceptionId`, summary: 'Change an exception', params: one, errors: ['not_found'] },
    async (call) => {
      const id = call.params.exceptionId;
      const exception = dated(call.body);
      await changeProviderRows(api, call, async (tx, provider) => {
        await exceptionById(tx, call.actor.id, id);
        await put(tx, provider, call.actor.id, id, exception);
        return [{ type: 'provider.exception_changed', exceptionId: id, kind: exception.kind }];
      });
      return changed(call, id, exception);
    },
  );

  route(
    api,
    {
      auth: common.auth,
      ifMatch: 'optional',
      method: 'delete',
      path: `${path}/:exceptionId`,
      summary: 'Remove an exception: the weekly hours count again',
      params: one,
      errors: ['not_found'],
    },
    async (call) => {
      const { exceptionId } = call.params;
      await changeProviderRows(api, call, async (tx) => {
        if (!(await removeException(tx, call.actor.id, exceptionId))) throw new DomainError('not_found');
        return [{ type: 'provider.exception_removed', exceptionId }];
      });
      return undefined;
    },
  );

  async function changed(
    { actor }: OwnChange,
    id: string,
    { kind, fromDate, toDate }: DatedException,
  ): Promise<z.infer<typeof ChangedException>> {
    const view = await exceptionById(db(), actor.id, id);
    if (kind === 'extra') return { ...view, bookings: [] };
    const zone = await zoneOf(db(), actor.id);
    const [first, last] = [dayNumber(fromDate) * dayMs, dayNumber(toDate) * dayMs];
    const clock = clockOf(zone, first, last);
    return {
      ...view,
      bookings: await bookingsWithin(db(), actor.id, { start: clock.firstShown(first), end: clock.firstShown(last + dayMs) }),
    };
  }
}

type Exception = DatedException & { reason: string | null };

function dated(body: PutException): Exception {
  const { kind, fromDate, toDate = fromDate, reason } = body;
  const hours = kind === 'extra' ? { startMinute: body.startMinute, endMinute: body.endMinute } : { startMinute: null, endMinute: null };
  return { kind, fromDate, toDate, reason, ...hours };
}

/** Writes an exception. @throws validation_failed naming what does not fit into the calendar */
async function put(tx: Db, { zone }: LockedProvider, providerId: string, id: string, exception: Exception): Promise<void> {
  const now = Date.now();
  const today = new Date(clockOf(zone, now, now).wallAt(now)).toISOString().slice(0, 10);
  const fields = exceptionFaults(exception, { today, ...(await hoursAround(tx, providerId, today, id)) });
  if (fields.length) throw new DomainError('validation_failed', undefined, { fields });
  await putException(tx, providerId, id, exception);
}
