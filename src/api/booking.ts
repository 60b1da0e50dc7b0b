import { z } from 'zod';
import { BookingView, CompleteBooking } from '../contracts/booking.ts';
import { bookingWorkflowId, cancelBooking, checkIn, completeBooking, reportNoShow } from '../contracts/booking.messages.ts';
import { Reason, TimelineEntry } from '../contracts/common.ts';
import { bookingFor, listBookings } from '../db/queries/booking.ts';
import { timelineOf } from '../db/queries/event.ts';
import { bookingMachine } from '../domain/booking.machine.ts';
import { DomainError, type ErrorCode } from '../domain/errors.ts';
import { asSide } from './auth.ts';
import { actorOf } from './chat.ts';
import { pageOf, PageQuery } from './cursor.ts';
import type { Api } from './deps.ts';
import { listPage, TimelineQuery } from './listing.ts';
import { route } from './route.ts';

const bookingId = z.strictObject({ bookingId: z.uuid() });
const readers = ['consumer', 'provider', 'admin'] as const;
const errors = [
  'not_found',
  'not_owner',
  'forbidden_role',
  'invalid_transition',
  'too_early',
  'temporarily_unavailable',
] as const satisfies ErrorCode[];

export function bookingRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      method: 'get',
      path: '/bookings',
      summary: 'Your bookings on either side, newest first',
      auth: readers,
      query: z.strictObject({ ...PageQuery.shape, status: z.enum(bookingMachine.statuses).optional() }),
      response: pageOf(BookingView),
      errors: [],
    },
    ({ query, actor }) => listPage(api, { name: 'bookings', actor, query }, (page) => listBookings(db(), actor, page)),
  );

  route(
    api,
    {
      method: 'get',
      path: '/bookings/:bookingId',
      summary: 'One booking',
      auth: readers,
      params: bookingId,
      response: BookingView,
      etag: ({ seq }) => seq,
      errors: ['not_found', 'not_owner'],
    },
    ({ params, actor }) => bookingFor(db(), actor, params.bookingId),
  );

  route(
    api,
    {
      method: 'get',
      path: '/bookings/:bookingId/timeline',
      summary: 'What happened, in order',
      auth: readers,
      params: bookingId,
      query: TimelineQuery,
      response: z.strictObject({ items: z.array(TimelineEntry) }),
      errors: ['not_found', 'not_owner'],
    },
    async ({ params, query, actor }) => ({
      items: await timelineOf(db(), actor, { noun: 'booking', id: params.bookingId, owners: ['consumer_id', 'provider_id'], ...query }),
    }),
  );

  const common = { method: 'post', params: bookingId, response: BookingView } as const;
  for (const { path, update, summary } of [
    { path: '/bookings/:bookingId/check-in', update: checkIn, summary: 'The job begins' },
    {
      path: '/bookings/:bookingId/cancel',
      update: cancelBooking,
      summary: 'Cancel, by either side; when the provider does, the search goes on',
    },
    { path: '/bookings/:bookingId/no-show', update: reportNoShow, summary: 'The other side did not come' },
  ] as const) {
    route(
      api,
      { ...common, path, summary, auth: ['consumer', 'provider'], body: Reason, errors },
      async ({ params, body, actor, commandId, signal }) => {
        const { id, consumer, provider } = await bookingFor(db(), actor, params.bookingId);
        const by = actorOf(asSide(actor, { consumerId: consumer.id, providerId: provider.id }));
        await api.commands.send({
          workflowId: bookingWorkflowId(id),
          update,
          command: { id: commandId, by, ...body },
          signal,
        });
        return bookingFor(db(), actor, id);
      },
    );
  }

  route(
    api,
    {
      ...common,
      path: '/bookings/:bookingId/complete',
      summary: 'Provider: the job is done',
      description: 'The final price is the agreed one, or a lower one.',
      auth: ['provider'],
      body: CompleteBooking,
      errors: [...errors, 'price_out_of_bounds'],
    },
    async ({ params, body, actor, commandId, signal }) => {
      const { id, price } = await bookingFor(db(), actor, params.bookingId);
      if (body.finalPrice && body.finalPrice.currency !== price.currency) {
        throw new DomainError('validation_failed', undefined, {
          fields: [{ field: '/finalPrice/currency', message: `must be ${price.currency}` }],
        });
      }
      await api.commands.send({
        workflowId: bookingWorkflowId(id),
        update: completeBooking,
        command: { id: commandId, by: actorOf(actor), finalPrice: body.finalPrice?.amount },
        signal,
      });
      return bookingFor(db(), actor, id);
    },
  );
}
