import { requestMachine } from './machine.ts';
import type { OfferState, RequestState, RequestTimelineEvent } from './types.ts';
import { remember, type Recorded } from '../timeline.ts';
import { termsOf } from '../terms.ts';
import { changedAtAfter } from './draft.ts';
import type { DraftSummary, RequestMode } from './draft.ts';
import type { OfferStatus } from './offer.ts';
import { offerMachine } from './offer.ts';

export const emptyRequest: RequestState = {
  status: 'intake',
  opened: false,
  applied: [],
  requestId: '',
  consumerId: '',
  mode: 'compare',
  policy: null,
  draft: { facts: [], service: null, missing: [], hash: null, price: null, windowEndsAt: null, region: null },
  draftChangedAt: {},
  agreed: [],
  urgency: 'flexible',
  pendingTurns: [],
  turns: 0,
  round: 0,
  radiusKm: 0,
  searchedBefore: 0,
  lostRounds: 0,
  remindAt: null,
  closesAt: null,
  decideBy: null,
  lastActivityAt: '',
  nudged: false,
  offers: {},
  accepted: null,
  bookings: [],
  excluded: [],
};

/** Folds one written event into the state. Knows every event that may stand on a request's timeline. */
export function evolveRequest(before: RequestState, event: Recorded<RequestTimelineEvent>): RequestState {
  const state = { ...before, applied: remember(before.applied, event.commandId) };
  switch (event.type) {
    case 'request.opened': {
      const { requestId, consumerId, mode, policy, at } = event;
      return { ...state, opened: true, requestId, consumerId, mode, policy, radiusKm: policy.radiusKm, lastActivityAt: at };
    }
    case 'message.posted':
      return {
        ...state,
        pendingTurns: [...state.pendingTurns, { turnId: event.turnId, messageId: event.messageId }],
        turns: state.turns + 1,
        lastActivityAt: event.at,
        nudged: false,
      };
    case 'turn.completed':
      return {
        ...state,
        pendingTurns: state.pendingTurns.filter(({ turnId }) => turnId !== event.turnId),
        ...drafted(state, event),
        lastActivityAt: event.at,
      };
    case 'request.edited':
      return { ...state, ...drafted(state, event), mode: event.mode, lastActivityAt: event.at, nudged: false };
    case 'request.submitted':
      return {
        ...state,
        status: requestMachine.next(state.status, 'submit'),
        urgency: event.urgency,
        agreed: event.facts ?? state.draft.facts,
      };
    case 'round.opened': {
      const { round, radiusKm, remindAt, closesAt } = event;
      return { ...state, status: requestMachine.next(state.status, 'invite'), round, radiusKm, remindAt, closesAt, decideBy: null };
    }
    case 'offer.invited':
      return {
        ...state,
        offers: {
          ...state.offers,
          [event.offerId]: { ...termsOf(event), providerId: event.providerId, round: event.round, status: 'invited', version: 1 },
        },
      };
    case 'round.reminded':
      return { ...state, remindAt: null };
    case 'round.closed':
      return { ...state, remindAt: null, closesAt: null, decideBy: event.decideBy };
    case 'offer.proposed':
    case 'offer.countered':
      return withOffer(state, event.offerId, {
        ...termsOf(event),
        status: event.type === 'offer.proposed' ? 'proposed' : 'countered',
        version: event.version,
      });
    case 'offer.accepted': {
      const { offerId, bookingId, providerId } = event;
      const booked = withOffer(state, offerId, { status: 'accepted' });
      return {
        ...booked,
        status: requestMachine.next(state.status, 'book'),
        accepted: { offerId, bookingId, providerId },
        bookings: [...state.bookings, bookingId],
        remindAt: null,
        closesAt: null,
        decideBy: null,
      };
    }
    case 'offer.declined':
      return withOffer(state, event.offerId, { status: 'declined' });
    case 'offer.withdrawn':
      return withOffer(state, event.offerId, { status: 'withdrawn' });
    case 'offer.expired':
      return withOffer(state, event.offerId, { status: 'expired' });
    case 'offer.superseded':
      return withOffer(state, event.offerId, { status: 'superseded' });
    case 'request.reopened':
      return {
        ...state,
        status: requestMachine.next(state.status, 'reopen'),
        accepted: null,
        excluded: [...state.excluded, event.excluded],
        searchedBefore: state.round,
        lostRounds: state.round,
      };
    case 'request.rematched':
      return {
        ...state,
        status: requestMachine.next(state.status, 'rematch'),
        decideBy: null,
        closesAt: null,
        remindAt: null,
        searchedBefore: state.round,
      };
    case 'request.extended':
      return { ...state, closesAt: event.closesAt || null, decideBy: event.decideBy };
    case 'request.claimed':
      return { ...state, consumerId: event.consumerId, lastActivityAt: event.at };
    case 'request.nudged':
      return { ...state, nudged: true };
    case 'request.completed':
      return { ...state, status: requestMachine.next(state.status, 'complete') };
    case 'request.cancelled':
      return { ...state, status: requestMachine.next(state.status, 'cancel') };
    case 'request.abandoned':
      return { ...state, status: requestMachine.next(state.status, 'abandon') };
    case 'request.unfilled':
      return { ...state, status: requestMachine.next(state.status, 'giveUp') };
    case 'booking.held':
    case 'booking.confirmed':
    case 'operator.intervened':
    case 'command.refused':
      return state;
  }
}

/** The draft that an event makes effective, and the position of each part's last change. */
function drafted(
  state: RequestState,
  { draft, seq, mode = state.mode }: { draft: DraftSummary; seq: number; mode?: RequestMode },
): Pick<RequestState, 'draft' | 'draftChangedAt'> {
  const changedAt = changedAtAfter(state.draftChangedAt, state.draft, draft, seq);
  return { draft, draftChangedAt: mode === state.mode ? changedAt : { ...changedAt, mode: seq } };
}

function withOffer(state: RequestState, offerId: string, change: Partial<OfferState>): RequestState {
  const offer = state.offers[offerId];
  return offer ? { ...state, offers: { ...state.offers, [offerId]: { ...offer, ...change } } } : state;
}

export const openOffers = (state: RequestState): [string, OfferState][] =>
  Object.entries(state.offers).filter(([, { status }]) => !offerMachine.terminal.includes(status));
/** Offers that wait for the consumer, or for the provider's answer to a counter-offer. */
export const liveOffers = (state: RequestState): [string, OfferState][] => offersThatAre(state, 'proposed', 'countered');
export const offersThatAre = (state: RequestState, ...statuses: OfferStatus[]): [string, OfferState][] =>
  Object.entries(state.offers).filter(([, { status }]) => statuses.includes(status));
/** Whether `round` is the first one after a booking fell through. Such a round comes before the needs of others. */
export const hasPriority = ({ lostRounds }: RequestState, round: number): boolean => lostRounds > 0 && round === lostRounds + 1;
export const isClosed = (state: RequestState): boolean => requestMachine.terminal.includes(state.status);
