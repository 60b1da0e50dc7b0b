import { z } from 'zod';
import { Instant } from '../contracts/common.ts';
import { ProviderView, SlotList } from '../contracts/provider.ts';
import { loadCalendars } from '../db/calendar.ts';
import { listProviders, providerById, providersNear, serviceDuration } from '../db/queries/provider.ts';
import { listSlots } from '../domain/availability.ts';
import { DomainError } from '../domain/errors.ts';
import { pageOf, PageQuery } from './cursor.ts';
import type { Api } from './deps.ts';
import { route } from './route.ts';

const providerId = z.strictObject({ providerId: z.uuid() });
const service = z.string().min(1).max(64);
const maxDays = 31;

/** `lat,lon` in degrees. */
const Near = z
  .string()
  .regex(/^-?\d{1,2}(\.\d{1,6})?,-?\d{1,3}(\.\d{1,6})?$/, 'must be lat,lon in degrees')
  .transform((text) => {
    const [lat, lon] = text.split(',').map(Number) as [number, number];
    return { lat, lon };
  })
  .refine(({ lat, lon }) => Math.abs(lat) <= 90 && Math.abs(lon) <= 180, 'must be lat,lon in degrees');

const ProviderQuery = z
  .strictObject({ ...PageQuery.shape, service: service.optional(), near: Near.optional() })
  .refine((query) => !query.near || query.service, { path: ['service'], message: 'near needs a service' });

const SlotQuery = z
  .strictObject({ service, from: Instant, to: Instant, limit: z.coerce.number().int().min(1).max(1_000).default(200) })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), { path: ['to'], message: 'must be after from' })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= maxDays * 86_400_000, {
    path: ['to'],
    message: `at most ${maxDays} days after from`,
  });

/** What everybody may read. */
export function providerRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      method: 'get',
      path: '/providers',
      summary: 'Providers, newest first; near a place, nearest first',
      auth: 'public',
      query: ProviderQuery,
      response: pageOf(ProviderView),
      cache: 'public, max-age=30',
      errors: [],
    },
    async ({ query: { limit, cursor, service: code, near } }) => {
      const scope = JSON.stringify(['providers', code, near]);
      const after = api.cursors.open(scope, cursor);
      if (near) {
        const rows = await providersNear(db(), { ...near, service: code!, limit, after });
        const { items, nextCursor } = api.cursors.page(scope, rows, limit, ({ distance, id }) => [distance, id]);
        return { items: items.map(({ distance: _distance, ...view }) => view), nextCursor };
      }
      const rows = await listProviders(db(), { limit, after, service: code });
      const { items, nextCursor } = api.cursors.page(scope, rows, limit, ({ createdAt, id }) => [createdAt, id]);
      return { items: items.map(({ createdAt: _createdAt, ...view }) => view), nextCursor };
    },
  );

  route(
    api,
    {
      method: 'get',
      path: '/providers/:providerId',
      summary: 'One provider',
      auth: 'public',
      params: providerId,
      response: ProviderView,
      cache: 'public, max-age=30',
      errors: ['not_found'],
    },
    ({ params }) => providerById(db(), params.providerId),
  );

  route(
    api,
    {
      method: 'get',
      path: '/providers/:providerId/slots',
      summary: 'When a provider can be booked',
      description: 'Every slot listed can be booked, no other can; the rules are those a booking is checked by.',
      auth: 'public',
      params: providerId,
      query: SlotQuery,
      response: SlotList,
      errors: ['not_found'],
    },
    async ({ params, query: { service: code, limit, ...window } }) => {
      const [from, to, now] = [Date.parse(window.from), Date.parse(window.to), Date.now()];
      const durationMinutes = await serviceDuration(db(), params.providerId, code);
      const calendar = (await loadCalendars(db(), [params.providerId], code, { from, to, now })).get(params.providerId);
      if (!calendar) throw new DomainError('not_found');
      const items: { startsAt: string; endsAt: string }[] = [];
      for (const { start, end } of listSlots(calendar, { from: Math.max(from, now), to, durationMinutes, now })) {
        const startsAt = new Date(start).toISOString();
        if (items.length === limit) return { items, zone: calendar.zone, nextFrom: startsAt };
        items.push({ startsAt, endsAt: new Date(end).toISOString() });
      }
      return { items, zone: calendar.zone, nextFrom: null };
    },
  );
}
