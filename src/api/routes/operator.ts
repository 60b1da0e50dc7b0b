import { z } from 'zod';
import { BookingView, InterveneBooking } from '../../contracts/booking.ts';
import { interveneBooking } from '../../contracts/booking.messages.ts';
import { InterveneRequest, RequestView } from '../../contracts/request.ts';
import { interveneRequest, requestWorkflowId } from '../../contracts/request.messages.ts';
import { bookingFor } from '../../db/queries/booking.ts';
import { requestFor } from '../../db/queries/request.ts';
import { amountOf, bookingErrors, bookingId, sendToBooking } from './booking.command.ts';
import type { Api } from '../http/deps.ts';
import { route } from '../http/route.ts';
import { actorOf } from '../../domain/actor.ts';

/** What operators do to what belongs to others: it stands on the timeline with its author, reason and ticket. */
export function operatorRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      method: 'post',
      path: '/admin/bookings/:bookingId/intervene',
      summary: 'Operator: end a booking, rule on a dispute, unstick its money',
      description:
        '`cancel` and `complete` end it for both; `rule` settles a dispute; `retry_payment` and `write_off` go on where a money step has given up.',
      auth: ['admin'],
      params: bookingId,
      body: InterveneBooking,
      response: BookingView,
      errors: [...bookingErrors, 'price_out_of_bounds'],
    },
    async ({ params, body: { refund, ...body }, actor, commandId, signal }) => {
      const booking = await bookingFor(db(), actor, params.bookingId);
      const command = { id: commandId, by: actorOf(actor), ...body, ...(refund && { refund: amountOf(refund, booking, '/refund') }) };
      return sendToBooking(api, actor, booking.id, { update: interveneBooking, command, signal });
    },
  );

  route(
    api,
    {
      method: 'post',
      path: '/admin/requests/:requestId/intervene',
      summary: 'Operator: search again, give more time, close a request',
      auth: ['admin'],
      params: z.strictObject({ requestId: z.uuid() }),
      body: InterveneRequest,
      response: RequestView,
      errors: ['not_found', 'not_owner', 'forbidden_role', 'invalid_transition', 'temporarily_unavailable'],
    },
    async ({ params: { requestId }, body, actor, commandId, signal }) => {
      await requestFor(db(), actor, requestId);
      const command = { id: commandId, by: actorOf(actor), ...body };
      await api.commands.send({ workflowId: requestWorkflowId(requestId), update: interveneRequest, command, signal });
      const { catalogueVersion: _version, ...view } = await requestFor(db(), actor, requestId);
      return view;
    },
  );
}
