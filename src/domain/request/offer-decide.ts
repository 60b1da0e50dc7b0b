import type { Actor } from '../actor.ts';
import { openBooking } from '../booking/open.ts';
import { DomainError } from '../errors.ts';
import { formatMoney } from '../money.ts';
import { openOffers } from './evolve.ts';
import type { OfferCommand, OfferState, RequestCommand, RequestState, RequestTimelineEvent } from './types.ts';
import type { Terms } from '../terms.ts';
import { termsOf } from '../terms.ts';
import { iso } from '../time.ts';
import { offerMachine, offerVerbs } from './offer.ts';
import { tell } from '../timeline.ts';

type Offering<D extends OfferCommand['do']> = Extract<OfferCommand, { do: D }>;

export const isOfferCommand = (command: RequestCommand): command is OfferCommand => Object.hasOwn(offerVerbs, command.do);

/** The events that a command about an offer writes. @param now milliseconds since the epoch @throws DomainError the refusal */
export function decideOffer(state: RequestState, command: OfferCommand, now: number): RequestTimelineEvent[] {
  switch (command.do) {
    case 'proposeOffer':
      return proposeOffer(state, command);
    case 'counterOffer':
      return counterOffer(state, command);
    case 'acceptOffer':
      return acceptOffer(state, command, now);
    case 'declineOffer':
      return declineOffer(state, command);
    case 'withdrawOffer':
      return withdrawOffer(state, command);
  }
}

/** A provider names terms, or takes the suggested ones when `terms` is absent. */
function proposeOffer(state: RequestState, command: Offering<'proposeOffer'>): RequestTimelineEvent[] {
  const { offerId, terms, basedOn } = command;
  const offer = offerFor(state, command);
  offerMachine.next(offer.status, 'propose');
  madeFrom(offer, basedOn);
  const proposed = checkedTerms(state, terms ?? offer);
  return [
    {
      type: 'offer.proposed',
      offerId,
      version: terms || offer.status === 'countered' ? offer.version + 1 : offer.version,
      ...proposed,
      audience: [state.consumerId, offer.providerId],
      notify: tell('offer_received', state.consumerId),
    },
  ];
}

function counterOffer(state: RequestState, command: Offering<'counterOffer'>): RequestTimelineEvent[] {
  const { offerId, terms, basedOn } = command;
  const offer = offerFor(state, command);
  offerMachine.next(offer.status, 'counter');
  madeFrom(offer, basedOn);
  return [
    {
      type: 'offer.countered',
      offerId,
      version: offer.version + 1,
      ...checkedTerms(state, terms),
      audience: [state.consumerId, offer.providerId],
      notify: tell('offer_countered', offer.providerId),
    },
  ];
}

/**
 * The side whose turn it is accepts: the consumer accepts a proposal; the provider accepts a counter-offer or, in instant mode, the
 * invitation. In compare mode a provider's yes to an invitation is a proposal with the suggested terms.
 */
function acceptOffer(state: RequestState, command: Offering<'acceptOffer'>, now: number): RequestTimelineEvent[] {
  const { by, offerId, bookingId } = command;
  const offer = offerFor(state, command);
  offerMachine.next(offer.status, 'accept');
  if (turnOf(offer) !== sideOf(state, offer, by)) throw new DomainError('not_your_turn', undefined, { status: offer.status });
  if (offer.status === 'invited' && state.mode === 'compare') return proposeOffer(state, { ...command, do: 'proposeOffer' });
  const policy = state.policy!;
  const { providerId } = offer;
  const both = [state.consumerId, providerId];
  return [
    { type: 'offer.accepted', offerId, bookingId, providerId, audience: both },
    ...openOffers(state)
      .filter(([id]) => id !== offerId)
      .map(([id, other]) => superseded(id, other, 'another_won')),
    ...openBooking(
      {
        type: 'booking.held',
        bookingId,
        requestId: state.requestId,
        offerId,
        consumerId: state.consumerId,
        providerId,
        service: state.draft.service!,
        ...termsOf(offer),
        heldUntil: iso(now + policy.holdMs),
        policy,
        audience: both,
      },
      command,
      now,
    ),
  ];
}

function declineOffer(state: RequestState, command: Offering<'declineOffer'>): RequestTimelineEvent[] {
  const { by, offerId, reason } = command;
  const offer = offerFor(state, command);
  offerMachine.next(offer.status, 'decline');
  const side = sideOf(state, offer, by);
  if (turnOf(offer) !== side) throw new DomainError('not_your_turn', undefined, { status: offer.status });
  const other = side === 'provider' ? state.consumerId : offer.providerId;
  const notify = side === 'provider' && offer.status === 'invited' ? [] : tell('offer_declined', other);
  return [{ type: 'offer.declined', offerId, reason, audience: [state.consumerId, offer.providerId], notify }];
}

function withdrawOffer(state: RequestState, command: Offering<'withdrawOffer'>): RequestTimelineEvent[] {
  const { offerId, reason } = command;
  const offer = offerFor(state, command);
  offerMachine.next(offer.status, 'withdraw');
  return [
    {
      type: 'offer.withdrawn',
      offerId,
      reason,
      audience: [state.consumerId, offer.providerId],
      notify: tell('offer_withdrawn', state.consumerId),
    },
  ];
}

/** Ends an offer because of something outside it, e.g. another offer won. Its provider is notified only after they had answered. */
export function superseded(offerId: string, offer: OfferState, code: string): RequestTimelineEvent {
  const notify = offer.status === 'invited' ? [] : tell('offer_superseded', offer.providerId);
  return { type: 'offer.superseded', offerId, code, audience: [offer.providerId], notify };
}

/** Ends an offer that nobody answered in time. */
export function expired(offerId: string, offer: OfferState, code: string): RequestTimelineEvent {
  return { type: 'offer.expired', offerId, code, audience: [offer.providerId] };
}

/** The offer, if the table of verbs allows the command to the actor's side. @throws not_found, not_owner, forbidden_role */
function offerFor(state: RequestState, { do: verb, offerId, by }: OfferCommand): OfferState {
  const offer = state.offers[offerId];
  if (!offer) throw new DomainError('not_found', 'This request has no such offer.');
  const sides: readonly string[] = offerVerbs[verb].by;
  if (!sides.includes(sideOf(state, offer, by))) throw new DomainError('forbidden_role', `Only the ${sides[0]} can do this.`);
  return offer;
}

function sideOf(state: RequestState, offer: OfferState, by: Actor): 'consumer' | 'provider' {
  if (by.id === state.consumerId) return 'consumer';
  if (by.id === offer.providerId) return 'provider';
  throw new DomainError('not_owner');
}

/**
 * Refuses terms that were made from another version of the offer. A sender who names only a price keeps the slot that they have read, so a
 * slot that changed since must not slip in. @throws terms_changed
 */
function madeFrom({ status, version }: OfferState, basedOn: number | undefined): void {
  if (basedOn !== undefined && basedOn !== version)
    throw new DomainError('terms_changed', undefined, { status, allowed: offerMachine.allowed(status) });
}

const turnOf = (offer: OfferState): 'consumer' | 'provider' => (offer.status === 'proposed' ? 'consumer' : 'provider');

function checkedTerms(state: RequestState, terms: Terms): Terms {
  const bounds = state.draft.price;
  if (bounds && (terms.currency !== bounds.currency || terms.price < bounds.min || terms.price > bounds.max)) {
    const { currency } = bounds;
    const [min, max] = [formatMoney({ amount: bounds.min, currency }), formatMoney({ amount: bounds.max, currency })];
    throw new DomainError('price_out_of_bounds', `The price has to be between ${min} and ${max}.`, {
      fields: [{ field: '/price', message: `${min} to ${max}` }],
    });
  }
  return termsOf(terms);
}
