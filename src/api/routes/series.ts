import { z } from 'zod';
import { TimelineEntry } from '../../contracts/common.ts';
import { idFrom } from '../../contracts/ids.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import { CreateSeries, SeriesView } from '../../contracts/series.ts';
import { type SeriesInput, seriesUpdates, seriesWorkflowId } from '../../contracts/series.messages.ts';
import { timelineOf } from '../../db/queries/event.ts';
import { listSeries, seriesFor, seriesTemplate } from '../../db/queries/series.ts';
import { DomainError } from '../../domain/errors.ts';
import { seriesMachine } from '../../domain/series/machine.ts';
import { weeklyStarts } from '../../domain/series/slots.ts';
import type { StartRun } from '../http/command.ts';
import { pageOf, PageQuery } from '../http/cursor.ts';
import type { Api } from '../http/deps.ts';
import { listPage, TimelineQuery } from '../http/listing.ts';
import { reply, route } from '../http/route.ts';
import { actorOf } from '../../domain/actor.ts';
import type { SeriesTerms } from '../../domain/series/machine.ts';

const seriesId = z.strictObject({ seriesId: z.uuid() });
const readers = ['consumer', 'provider', 'admin'] as const;
const etag = ({ seq }: SeriesView) => seq;
/** Statuses in which a booking can be repeated: both sides have agreed to it, and it may be over. */
const repeatable: readonly string[] = ['confirmed', 'in_progress', 'completed'];

export function seriesRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      method: 'post',
      path: '/series',
      summary: 'Repeat a booking of yours every week or two',
      description:
        'Proposes provider, service, length and price of the booking again. Once the provider has accepted, each occurrence is booked when it comes into reach. ' +
        'Give `count` or `until`.',
      auth: ['consumer'],
      body: CreateSeries,
      response: SeriesView,
      status: 201,
      etag,
      errors: [
        'not_found',
        'not_owner',
        'invalid_transition',
        'validation_failed',
        'local_time_gap',
        'slot_taken',
        'outside_slot_rules',
        'temporarily_unavailable',
      ],
    },
    async ({ body: { bookingId, first, ...rhythm }, actor, commandId, signal }) => {
      const { status, ...template } = await seriesTemplate(db(), actor, bookingId);
      if (!repeatable.includes(status)) throw new DomainError('invalid_transition', `The booking is ${status}.`, { status, allowed: [] });
      const id = idFrom(commandId, 'series');
      const { everyWeeks } = rhythm;
      const terms: SeriesTerms = { ...template, seriesId: id, everyWeeks, zone: first.zone, starts: weeklyStarts(first, rhythm) };
      await api.commands.send({
        workflowId: seriesWorkflowId(id),
        update: seriesUpdates.proposeSeries,
        command: { id: commandId, by: actorOf(actor), terms },
        start: startSeries(terms),
        signal,
      });
      return reply(201, await seriesFor(db(), actor, id), { location: `/api/v1/series/${id}` });
    },
  );

  route(
    api,
    {
      method: 'get',
      path: '/series',
      summary: 'Your series on either side, newest first',
      auth: readers,
      query: z.strictObject({ ...PageQuery.shape, status: z.enum(seriesMachine.statuses).optional() }),
      response: pageOf(SeriesView),
      errors: [],
    },
    ({ query, actor }) => listPage(api, { name: 'series', actor, query }, (page) => listSeries(db(), actor, page)),
  );

  route(
    api,
    {
      method: 'get',
      path: '/series/:seriesId',
      summary: 'One series with its occurrences',
      auth: readers,
      params: seriesId,
      response: SeriesView,
      etag,
      errors: ['not_found', 'not_owner'],
    },
    ({ params, actor }) => seriesFor(db(), actor, params.seriesId),
  );

  route(
    api,
    {
      method: 'get',
      path: '/series/:seriesId/timeline',
      summary: 'What happened, in order',
      auth: readers,
      params: seriesId,
      query: TimelineQuery,
      response: z.strictObject({ items: z.array(TimelineEntry) }),
      errors: ['not_found', 'not_owner'],
    },
    async ({ params, query, actor }) => ({
      items: await timelineOf(db(), actor, { noun: 'series', id: params.seriesId, owners: ['consumer_id', 'provider_id'], ...query }),
    }),
  );
}

function startSeries({ seriesId: id, consumerId, providerId, service }: SeriesTerms): StartRun {
  return {
    workflowType: 'seriesWorkflow',
    taskQueue: 'proxie',
    args: [{ seriesId: id } satisfies SeriesInput],
    staticSummary: `A series of ${service}`,
    staticDetails: `Timeline: GET /api/v1/series/${id}/timeline`,
    searchAttributes: [
      { key: searchAttributes.stage, value: seriesMachine.initial },
      { key: searchAttributes.consumer, value: consumerId },
      { key: searchAttributes.provider, value: providerId },
      { key: searchAttributes.service, value: service },
    ],
  };
}
