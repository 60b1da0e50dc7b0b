import { z } from 'zod';
import { ProviderView } from '../../contracts/provider.ts';
import { listProviders, providerById, providersNear } from '../../db/queries/provider.ts';
import { pageOf, PageQuery } from '../http/cursor.ts';
import type { Api } from '../http/deps.ts';
import { route } from '../http/route.ts';

const providerId = z.strictObject({ providerId: z.uuid() });
const service = z.string().min(1).max(64);

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

/** Profiles and reviews that everybody may read. */
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
}
