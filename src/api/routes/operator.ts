import { InterveneBooking } from '../../contracts/booking.ts';
import { bookingUpdates } from '../../contracts/booking.messages.ts';
import { InterveneRequest } from '../../contracts/request.ts';
import { requestUpdates } from '../../contracts/request.messages.ts';
import { actorOf } from '../../domain/actor.ts';
import { bookingVerbs } from '../../domain/booking/machine.ts';
import { requestVerbs } from '../../domain/request/machine.ts';
import type { Api } from '../http/deps.ts';
import { verbRoute } from '../http/verb-route.ts';
import { amountOf, bookingNoun } from './booking-verbs.ts';
import { requestNoun } from './request.ts';

/** Commands of operators about things of other users. The timeline records the operator, the reason and the ticket. */
export function operatorRoutes(api: Api): void {
  verbRoute(api, { ...bookingNoun(api), by: actorOf }, ['intervene', bookingVerbs.intervene, bookingUpdates.intervene], {
    body: InterveneBooking,
    fields: ({ body: { action, ticket, refund }, thing }) => ({
      action,
      ticket,
      ...(refund && { refund: amountOf(refund, thing.booking, '/refund') }),
    }),
  });
  verbRoute(api, requestNoun(api), ['intervene', requestVerbs.intervene, requestUpdates.intervene], {
    body: InterveneRequest,
    fields: ({ body: { action, ticket, extendByMs } }) => ({ action, ticket, ...(extendByMs !== undefined && { extendByMs }) }),
  });
}
