import { z } from 'zod';
import { CatalogueView, CategoryView, ServiceView, toCatalogueView, toCategoryView, toServiceView } from '../../contracts/catalogue.ts';
import { loadCatalogue } from '../../db/queries/catalogue.ts';
import { findService } from '../../domain/intake/catalogue.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Api } from '../http/deps.ts';
import { route } from '../http/route.ts';

const code = z.string().min(1).max(64);
/** A cache may keep the answer long enough to save most requests, and short enough to show a change within the hour. */
const common = {
  method: 'get',
  auth: 'public',
  cache: 'public, max-age=300',
  etag: ({ version }: { version: number }) => version,
} as const;

export function catalogueRoutes(api: Api): void {
  const catalogue = () => loadCatalogue(api.orm.em.fork());

  route(api, { ...common, path: '/catalogue', summary: 'What can be booked', response: CatalogueView, errors: [] }, async () =>
    toCatalogueView(await catalogue()),
  );

  route(
    api,
    {
      ...common,
      path: '/catalogue/services/:code',
      summary: 'One service: its facts, bounds and requirements',
      params: z.strictObject({ code }),
      response: ServiceView,
      errors: ['not_found'],
    },
    async ({ params }) => {
      const known = await catalogue();
      const service = findService(known, params.code);
      if (!service) throw new DomainError('not_found');
      return toServiceView(known.version, service);
    },
  );

  route(
    api,
    {
      ...common,
      path: '/catalogue/:category',
      summary: 'One category',
      params: z.strictObject({ category: code }),
      response: CategoryView,
      errors: ['not_found'],
    },
    async ({ params }) => {
      const { version, categories } = await catalogue();
      const category = categories.find(({ code: own }) => own === params.category);
      if (!category) throw new DomainError('not_found');
      return toCategoryView(version, category);
    },
  );
}
