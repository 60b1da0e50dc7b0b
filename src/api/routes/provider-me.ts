import { z } from 'zod';
import { EditProvider, OwnProviderView, PutAvailability, PutService } from '../../contracts/provider.ts';
import { replaceOpenings } from '../../db/projections/enrollment.ts';
import { changeProvider, hasLicence, putService } from '../../db/provider-rows.ts';
import { loadCatalogue } from '../../db/queries/catalogue.ts';
import { ownProvider } from '../../db/queries/provider.ts';
import { offeredServiceFaults, overlaps } from '../../domain/enrollment/application.ts';
import { serviceOf } from '../../domain/intake/catalogue.ts';
import { DomainError } from '../../domain/errors.ts';
import { providerMachine, type ProviderStatus } from '../../domain/provider/machine.ts';
import type { ProviderEvent } from '../../domain/provider/types.ts';
import type { Api } from '../http/deps.ts';
import { changeProviderRows, type OwnChange } from './provider-change.ts';
import { route } from '../http/route.ts';

const common = { auth: ['provider'], response: OwnProviderView, etag: ({ seq }: OwnProviderView) => seq } as const;
const editable = { ...common, ifMatch: 'optional' } as const;

/** What a provider changes themselves. No workflow owns these rows, so the writing transaction checks If-Match. */
export function ownProviderRoutes(api: Api): void {
  route(
    api,
    { ...common, method: 'get', path: '/providers/me', summary: 'Your profile as a provider', errors: ['not_found'] },
    ({ actor }) => ownProvider(api.orm.em.fork(), actor.id),
  );

  route(
    api,
    {
      ...editable,
      method: 'patch',
      path: '/providers/me',
      summary: 'Change your profile, your calendar’s limits, or pause',
      description: 'In a new zone weekly hours and dated exceptions keep their local times. No change moves an existing booking.',
      body: EditProvider,
      errors: ['not_found', 'invalid_transition'],
    },
    (call) =>
      changed(call, async (tx, { status }) => {
        const { status: wanted, ...edit } = call.body;
        const fields = Object.keys(edit);
        await changeProvider(tx, call.actor.id, edit);
        return [...(fields.length ? [{ type: 'provider.changed' as const, fields }] : []), ...moved(status, wanted)];
      }),
  );

  route(
    api,
    {
      ...editable,
      method: 'put',
      path: '/providers/me/services/:code',
      summary: 'Offer a service, change its terms, or stop offering it',
      params: z.strictObject({ code: z.string().min(1).max(64) }),
      body: PutService,
      errors: ['not_found', 'validation_failed', 'price_out_of_bounds', 'credential_lapsed', 'portfolio_too_small'],
    },
    async (call) => {
      const service = { code: call.params.code, ...call.body };
      const catalogue = await loadCatalogue(api.orm.em.fork());
      const { licence, category, minPortfolioPhotos } = serviceOf(catalogue, service.code);
      const { prices, others } = offeredServiceFaults(catalogue, service, '');
      if (others.length) throw new DomainError('validation_failed', undefined, { fields: [...others, ...prices] });
      if (prices.length) throw new DomainError('price_out_of_bounds', undefined, { fields: prices });
      return changed(call, async (tx, { photos }) => {
        if (service.active && licence && !(await hasLicence(tx, call.actor.id, category)))
          throw new DomainError('credential_lapsed', `${licence.name} is needed.`);
        if (service.active && photos < minPortfolioPhotos) {
          throw new DomainError('portfolio_too_small', undefined, {
            fields: [{ field: '/portfolio', message: `at least ${minPortfolioPhotos} photos` }],
          });
        }
        await putService(tx, call.actor.id, service);
        return [{ type: 'provider.service_changed', service: service.code, active: service.active }];
      });
    },
  );

  route(
    api,
    {
      ...editable,
      method: 'put',
      path: '/providers/me/availability',
      summary: 'Your weekly hours, as a whole, in your zone',
      body: PutAvailability,
      errors: ['not_found', 'validation_failed'],
    },
    async (call) => {
      const { availability } = call.body;
      const fields = overlaps(availability);
      if (fields.length) throw new DomainError('validation_failed', undefined, { fields });
      return changed(call, async (tx) => {
        await replaceOpenings(tx, call.actor.id, availability);
        return [{ type: 'provider.availability_changed', openings: availability.length }];
      });
    },
  );

  async function changed(call: OwnChange, work: Parameters<typeof changeProviderRows>[2]): Promise<OwnProviderView> {
    await changeProviderRows(api, call, work);
    return ownProvider(api.orm.em.fork(), call.actor.id);
  }
}

/** The move between active and paused; none when the provider already has the wanted status. */
function moved(status: string, wanted: 'active' | 'paused' | undefined): ProviderEvent[] {
  if (!wanted || wanted === status) return [];
  const move = wanted === 'paused' ? 'pause' : 'resume';
  providerMachine.next(status as ProviderStatus, move);
  return [{ type: wanted === 'paused' ? 'provider.paused' : 'provider.resumed' }];
}
