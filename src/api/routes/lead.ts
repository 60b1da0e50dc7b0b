import { z } from 'zod';
import { LeadInsights, LeadView } from '../../contracts/offer.ts';
import { leadInsights, listLeads } from '../../db/queries/offer.ts';
import { pageOf, PageQuery } from '../http/cursor.ts';
import type { Api } from '../http/deps.ts';
import { route } from '../http/route.ts';
import { offerMachine } from '../../domain/request/offer.ts';

export function leadRoutes(api: Api): void {
  route(
    api,
    {
      method: 'get',
      path: '/leads',
      summary: 'Your invitations, newest first, with why you were asked',
      auth: ['provider'],
      query: z.strictObject({ ...PageQuery.shape, status: z.enum(offerMachine.statuses).optional() }),
      response: pageOf(LeadView),
      errors: [],
    },
    async ({ query: { limit, cursor, status }, actor }) => {
      const scope = JSON.stringify(['leads', actor.id, status]);
      const rows = await listLeads(api.orm.em.fork(), actor.id, { limit, status, after: api.cursors.open(scope, cursor) });
      return api.cursors.page(scope, rows, limit, ({ offer }) => [offer.createdAt, offer.id]);
    },
  );
  route(
    api,
    {
      method: 'get',
      path: '/leads/insights',
      summary: 'What kept you from being asked in the last 30 days',
      auth: ['provider'],
      response: LeadInsights,
      errors: [],
    },
    ({ actor }) => leadInsights(api.orm.em.fork(), actor.id),
  );
}
