import { z } from 'zod';
import { TimelineEntry } from '../../contracts/common.ts';
import { idFrom } from '../../contracts/ids.ts';
import { OfferView } from '../../contracts/offer.ts';
import { CreateRequest, EditRequest, MatchView, RequestView, SubmitRequest } from '../../contracts/request.ts';
import { requestUpdates, requestWorkflowId } from '../../contracts/request.messages.ts';
import { stageDraft } from '../../db/queries/draft-staging.ts';
import { timelineOf } from '../../db/queries/event.ts';
import { offersOfRequest } from '../../db/queries/offer.ts';
import { listRequests, matchesOf, requestFor } from '../../db/queries/request.ts';
import { DomainError } from '../../domain/errors.ts';
import { requestMachine, requestVerbs } from '../../domain/request/machine.ts';
import { pageOf, PageQuery } from '../http/cursor.ts';
import type { Api } from '../http/deps.ts';
import { positionsIn } from '../http/etag.ts';
import { listPage, TimelineQuery } from '../http/listing.ts';
import { startRequest } from './request-start.ts';
import { reply, route } from '../http/route.ts';
import { actorOf } from '../../domain/actor.ts';
import { withFreshDraft } from '../http/fresh-draft.ts';
import { declaredElsewhere, verbRoute, verbRoutes } from '../http/verb-route.ts';
import type { ApiActor } from '../http/auth.ts';

const readers = ['consumer', 'admin'] as const;
const requestId = z.strictObject({ requestId: z.uuid() });
const etag = ({ seq }: RequestView) => seq;

export function requestRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      method: 'post',
      path: '/requests',
      summary: 'Create a structured request',
      description:
        'For clients that know what is wanted. `submit: true` is the explicit yes to exactly the facts of this body; otherwise submit the returned `draftHash`.',
      auth: ['consumer'],
      body: CreateRequest,
      response: RequestView,
      status: 201,
      errors: ['draft_incomplete', 'invalid_transition', 'temporarily_unavailable'],
    },
    async ({ body, actor, commandId, signal }) => {
      const id = idFrom(commandId, 'request');
      const { mode = 'compare', submit, ...facts } = body;
      const { changes, missing } = await stageDraft(db(), { requestId: id, facts });
      if (submit && missing.length) throw incomplete(missing);
      await api.commands.send({
        workflowId: requestWorkflowId(id),
        update: requestUpdates.editRequest,
        command: { id: commandId, by: actorOf(actor), changes, mode, submit },
        start: await startRequest(api, { requestId: id, consumerId: actor.id, mode }),
        signal,
      });
      return reply(201, await view(api, actor, id), { location: `/api/v1/requests/${id}` });
    },
  );

  route(
    api,
    {
      method: 'get',
      path: '/requests',
      summary: 'Your requests, newest first',
      auth: readers,
      query: z.strictObject({ ...PageQuery.shape, status: z.enum(requestMachine.statuses).optional() }),
      response: pageOf(RequestView),
      errors: [],
    },
    ({ query, actor }) => listPage(api, { name: 'requests', actor, query }, (page) => listRequests(db(), actor, page)),
  );

  route(
    api,
    {
      method: 'get',
      path: '/requests/:requestId',
      summary: 'One request',
      auth: readers,
      params: requestId,
      response: RequestView,
      etag,
      errors: ['not_found', 'not_owner'],
    },
    ({ params, actor }) => view(api, actor, params.requestId),
  );

  route(
    api,
    {
      method: 'patch',
      path: '/requests/:requestId',
      summary: 'Change facts while it is in intake',
      auth: ['consumer'],
      params: requestId,
      body: EditRequest,
      response: RequestView,
      etag,
      ifMatch: 'optional',
      errors: ['not_found', 'not_owner', 'invalid_transition', 'draft_changed', 'temporarily_unavailable'],
    },
    async ({ params, body, actor, commandId, ifMatch, signal }) => {
      const before = await requestFor(db(), actor, params.requestId);
      const { mode, ...facts } = body;
      const { catalogueVersion } = before;
      const { changes } = await stageDraft(db(), { requestId: params.requestId, facts, catalogueVersion });
      const command = { id: commandId, by: actorOf(actor), expects: positionsIn(ifMatch), changes, mode };
      return withFreshDraft(
        () => api.commands.send({ workflowId: requestWorkflowId(params.requestId), update: requestUpdates.editRequest, command, signal }),
        () => view(api, actor, params.requestId),
      );
    },
  );

  const requests = requestNoun(api);
  verbRoutes(api, requests, requestVerbs, requestUpdates, {
    submitRequest: (verb) => verbRoute(api, requests, verb, { body: SubmitRequest, fields: ({ body }) => body }),
    intervene: declaredElsewhere,
  });

  const listed = { auth: readers, params: requestId, errors: ['not_found', 'not_owner'] } as const;
  route(
    api,
    {
      ...listed,
      method: 'get',
      path: '/requests/:requestId/timeline',
      summary: 'What happened, in order',
      query: TimelineQuery,
      response: z.strictObject({ items: z.array(TimelineEntry) }),
    },
    async ({ params, query, actor }) => ({
      items: await timelineOf(db(), actor, { noun: 'request', id: params.requestId, owners: ['consumer_id'], ...query }),
    }),
  );
  route(
    api,
    {
      ...listed,
      method: 'get',
      path: '/requests/:requestId/offers',
      summary: 'Offers that providers have answered, best first',
      response: z.strictObject({ items: z.array(OfferView) }),
    },
    async ({ params, actor }) => ({ items: await offersOfRequest(db(), actor, params.requestId) }),
  );
  route(
    api,
    {
      ...listed,
      method: 'get',
      path: '/requests/:requestId/matches',
      summary: 'Who was asked, and why',
      response: z.strictObject({ items: z.array(MatchView) }),
    },
    async ({ params, actor }) => ({ items: await matchesOf(db(), actor, params.requestId) }),
  );
}

/** The parts that the routes of a request's verbs share. */
export function requestNoun(api: Api) {
  const load = (actor: ApiActor, params: { requestId: string }) => requestFor(api.orm.em.fork(), actor, params.requestId);
  return {
    params: requestId,
    response: RequestView,
    errors: ['not_found', 'not_owner', 'invalid_transition', 'temporarily_unavailable'],
    load,
    by: actorOf,
    workflowId: ({ id }: { id: string }) => requestWorkflowId(id),
    fields: () => ({}),
    read: (actor: ApiActor, params: { requestId: string }) => view(api, actor, params.requestId),
  } as const;
}

async function view(api: Api, actor: ApiActor, id: string): Promise<RequestView> {
  const { catalogueVersion: _version, ...shown } = await requestFor(api.orm.em.fork(), actor, id);
  return shown;
}

const incomplete = (missing: string[]) =>
  new DomainError('draft_incomplete', `Still missing: ${missing.join(', ')}.`, {
    fields: missing.map((key) => ({ field: `/${key}`, message: 'required' })),
  });
