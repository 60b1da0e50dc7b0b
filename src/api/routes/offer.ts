import { z } from 'zod';
import { idFrom } from '../../contracts/ids.ts';
import { AcceptOffer, CounterOffer, OfferView, ProposeOffer } from '../../contracts/offer.ts';
import { offerUpdates, requestWorkflowId } from '../../contracts/request.messages.ts';
import { listOffers, offerFor } from '../../db/queries/offer.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { planned } from '../../domain/booking/open.ts';
import { reminderTimes } from '../../domain/calendar/quiet-hours.ts';
import { chosenSlot } from '../../domain/calendar/local-time.ts';
import { asSide, type ApiActor } from '../http/auth.ts';
import { pageOf, PageQuery } from '../http/cursor.ts';
import type { Api } from '../http/deps.ts';
import { listPage } from '../http/listing.ts';
import { reply, route } from '../http/route.ts';
import type { Terms } from '../../domain/terms.ts';
import { actorOf } from '../../domain/actor.ts';
import { offerMachine, offerVerbs } from '../../domain/request/offer.ts';
import { verbRoute, verbRoutes } from '../http/verb-route.ts';

const offerId = z.strictObject({ offerId: z.uuid() });
const errors = [
  'not_found',
  'not_owner',
  'forbidden_role',
  'invalid_transition',
  'offer_not_open',
  'not_your_turn',
  'temporarily_unavailable',
] as const satisfies ErrorCode[];

export function offerRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      method: 'get',
      path: '/offers',
      summary: 'Your offers on either side, newest first',
      auth: ['consumer', 'provider', 'admin'],
      query: z.strictObject({ ...PageQuery.shape, status: z.enum(offerMachine.statuses).optional() }),
      response: pageOf(OfferView),
      errors: [],
    },
    ({ query, actor }) => listPage(api, { name: 'offers', actor, query }, (page) => listOffers(db(), actor, page)),
  );

  route(
    api,
    {
      method: 'get',
      path: '/offers/:offerId',
      summary: 'One offer',
      auth: ['consumer', 'provider', 'admin'],
      params: offerId,
      response: OfferView,
      errors: ['not_found', 'not_owner'],
    },
    async ({ params, actor }) => shown(await offerFor(db(), actor, params.offerId)),
  );

  const offers = {
    params: offerId,
    response: OfferView,
    errors,
    load: (actor: ApiActor, params: OfferId) => offerFor(db(), actor, params.offerId),
    by: (actor: ApiActor, { consumerId, provider }: OfferOf) => actorOf(asSide(actor, { consumerId, providerId: provider.id })),
    workflowId: ({ requestId }: OfferOf) => requestWorkflowId(requestId),
    fields: (params: OfferId) => params,
    read: async (actor: ApiActor, params: OfferId) => shown(await offerFor(db(), actor, params.offerId)),
  };
  verbRoutes(api, offers, offerVerbs, offerUpdates, {
    proposeOffer: (verb) =>
      verbRoute(api, offers, verb, {
        body: ProposeOffer,
        fields({ params, body, thing }) {
          const terms = body.price || body.slot || body.start ? termsOf(thing, body) : undefined;
          return { ...params, basedOn: thing.version, ...(terms && { terms }) };
        },
      }),
    counterOffer: (verb) =>
      verbRoute(api, offers, verb, {
        body: CounterOffer,
        fields: ({ params, body, thing }) => ({ ...params, terms: termsOf(thing, body), basedOn: thing.version }),
      }),
    acceptOffer: (verb) =>
      verbRoute(api, offers, verb, {
        body: AcceptOffer.optional(),
        fields({ params, commandId, thing: { slot } }) {
          const { policy } = api.config;
          const reminders = planned(slot, policy, reminderTimes(slot, policy));
          return { ...params, bookingId: idFrom(commandId, 'booking'), reminders };
        },
        answer: (view, { commandId }) =>
          view.status === 'accepted' ? reply(201, view, { location: `/api/v1/bookings/${idFrom(commandId, 'booking')}` }) : view,
      }),
  });
}

type OfferId = z.output<typeof offerId>;
type OfferOf = OfferView & { consumerId: string };

const shown = ({ consumerId: _consumer, ...view }: OfferView & { consumerId: string }): OfferView => view;

/** The offer's terms with the changes of the body. */
function termsOf(offer: OfferView, { price, ...slot }: z.infer<typeof ProposeOffer>): Terms {
  const { amount, currency } = price ?? offer.price;
  return { price: amount, currency, ...chosenSlot(slot, offer.slot) };
}
