import type { UpdateDefinition } from '@temporalio/common';
import { z } from 'zod';
import { Reason } from '../../contracts/common.ts';
import { idFrom } from '../../contracts/ids.ts';
import { CounterOffer, OfferView, ProposeOffer } from '../../contracts/offer.ts';
import {
  acceptOffer,
  counterOffer,
  declineOffer,
  proposeOffer,
  requestWorkflowId,
  withdrawOffer,
} from '../../contracts/request.messages.ts';
import { listOffers, offerFor } from '../../db/queries/offer.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { chosenSlot } from '../../domain/calendar/local-time.ts';
import { offerMachine } from '../../domain/request/machine.ts';
import { asSide, type ApiActor } from '../http/auth.ts';
import { pageOf, PageQuery } from '../http/cursor.ts';
import type { Api } from '../http/deps.ts';
import { listPage } from '../http/listing.ts';
import { reply, route } from '../http/route.ts';
import type { CommandAnswer, CommandMeta } from '../../domain/command.ts';
import type { Terms } from '../../domain/terms.ts';
import { actorOf } from '../../domain/actor.ts';

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
const withTerms = [...errors, 'price_out_of_bounds', 'outside_slot_rules', 'slot_taken'] as const satisfies ErrorCode[];
const withSlot = [...withTerms, 'terms_changed', 'local_time_gap'] as const satisfies ErrorCode[];
const sides = ['consumer', 'provider'] as const;

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

  const common = { method: 'post', params: offerId, response: OfferView } as const;

  route(
    api,
    {
      ...common,
      path: '/offers/:offerId/propose',
      summary: 'Provider: name terms, or take the suggested ones',
      auth: ['provider'],
      body: ProposeOffer,
      errors: withSlot,
    },
    async ({ params, body, actor, commandId, signal }) => {
      const offer = await offerFor(db(), actor, params.offerId);
      const terms = body.price || body.slot || body.start ? termsOf(offer, body) : undefined;
      const command = { id: commandId, by: actorOf(actor), offerId: offer.id, terms, basedOn: offer.version };
      return send(actor, offer, { update: proposeOffer, command, signal });
    },
  );

  route(
    api,
    {
      ...common,
      path: '/offers/:offerId/counter',
      summary: 'Consumer: answer with other terms',
      auth: ['consumer'],
      body: CounterOffer,
      errors: withSlot,
    },
    async ({ params, body, actor, commandId, signal }) => {
      const offer = await offerFor(db(), actor, params.offerId);
      return send(actor, offer, {
        update: counterOffer,
        command: { id: commandId, by: actorOf(actor), offerId: offer.id, terms: termsOf(offer, body), basedOn: offer.version },
        signal,
      });
    },
  );

  route(
    api,
    {
      ...common,
      path: '/offers/:offerId/accept',
      summary: 'Accept: whoever has the turn',
      description:
        'The consumer accepts a proposal; the provider accepts a counter-offer or, in instant mode, the invitation. In compare mode a provider who accepts an ' +
        'invitation proposes the suggested terms (200). The slot is held in the same transaction: of any number of racers exactly one gets it, the others `slot_taken`.',
      mayCreate: 'the booking',
      auth: sides,
      body: z.strictObject({}).optional(),
      errors: withTerms,
    },
    async ({ params, actor, commandId, signal }) => {
      const offer = await offerFor(db(), actor, params.offerId);
      const bookingId = idFrom(commandId, 'booking');
      const accepted = await send(actor, offer, {
        update: acceptOffer,
        command: { id: commandId, by: bySide(actor, offer), offerId: offer.id, bookingId },
        signal,
      });
      return accepted.status === 'accepted' ? reply(201, accepted, { location: `/api/v1/bookings/${bookingId}` }) : accepted;
    },
  );

  for (const { verb, update, auth, summary } of [
    { verb: 'decline', update: declineOffer, auth: sides, summary: 'Say no: whoever has the turn' },
    { verb: 'withdraw', update: withdrawOffer, auth: ['provider'], summary: 'Provider: take a proposal back' },
  ] as const) {
    route(
      api,
      { ...common, path: `/offers/:offerId/${verb}`, summary, auth, body: Reason, errors },
      async ({ params, body, actor, commandId, signal }) => {
        const offer = await offerFor(db(), actor, params.offerId);
        return send(actor, offer, { update, command: { id: commandId, by: bySide(actor, offer), offerId: offer.id, ...body }, signal });
      },
    );
  }

  async function send<C extends CommandMeta>(
    actor: ApiActor,
    offer: { id: string; requestId: string },
    command: { update: UpdateDefinition<CommandAnswer, [C], string>; command: C; signal: AbortSignal },
  ): Promise<OfferView> {
    await api.commands.send({ workflowId: requestWorkflowId(offer.requestId), ...command });
    return shown(await offerFor(db(), actor, offer.id));
  }
}

/** Who has the turn depends on the side, and one user may be on either. */
const bySide = (actor: ApiActor, { consumerId, provider }: OfferView & { consumerId: string }) =>
  actorOf(asSide(actor, { consumerId, providerId: provider.id }));

const shown = ({ consumerId: _consumer, ...view }: OfferView & { consumerId: string }): OfferView => view;

/** The offer's terms with what the body changes. */
function termsOf(offer: OfferView, { price, ...slot }: z.infer<typeof ProposeOffer>): Terms {
  const { amount, currency } = price ?? offer.price;
  return { price: amount, currency, ...chosenSlot(slot, offer.slot) };
}
