// Statuses, verbs and events of an offer. Offers live on their request's timeline.
import type { PlannedReminders } from '../booking/open.ts';
import { defineMachine } from '../machine.ts';
import type { Terms } from '../terms.ts';
import { carries, type KindOf, type Verbs } from '../verb.ts';

/** One row per request, provider and round. The side whose turn it is accepts. */
export const offerMachine = defineMachine(
  'offer',
  ['invited', 'proposed', 'countered', 'accepted', 'declined', 'withdrawn', 'expired', 'superseded'],
  {
    propose: { from: ['invited', 'countered'], to: 'proposed' },
    counter: { from: ['proposed'], to: 'countered' },
    /** From `invited` only in instant mode; `decide` checks that. */
    accept: { from: ['invited', 'proposed', 'countered'], to: 'accepted' },
    decline: { from: ['invited', 'countered', 'proposed'], to: 'declined' },
    withdraw: { from: ['proposed'], to: 'withdrawn' },
    expire: { from: ['invited', 'proposed', 'countered'], to: 'expired' },
    supersede: { from: ['invited', 'proposed', 'countered'], to: 'superseded' },
  },
);
export type OfferStatus = (typeof offerMachine.statuses)[number];

export const offerVerbs = {
  proposeOffer: {
    by: ['provider'],
    move: 'propose',
    /** `terms` absent: the provider takes the suggested ones. `basedOn`: the version of the offer from which these terms were made. */
    carries: carries<{ offerId: string; terms?: Terms; basedOn?: number }>(),
    notifies: ['offer_received'],
    says: 'terms of a provider',
    route: {
      path: '/offers/:offerId/propose',
      summary: 'Provider: name terms, or take the suggested ones',
      errors: ['price_out_of_bounds', 'outside_slot_rules', 'slot_taken', 'terms_changed', 'local_time_gap'],
    },
  },
  counterOffer: {
    by: ['consumer'],
    move: 'counter',
    carries: carries<{ offerId: string; terms: Terms; basedOn?: number }>(),
    notifies: ['offer_countered'],
    says: 'other terms of the consumer',
    route: {
      path: '/offers/:offerId/counter',
      summary: 'Consumer: answer with other terms',
      errors: ['price_out_of_bounds', 'outside_slot_rules', 'slot_taken', 'terms_changed', 'local_time_gap'],
    },
  },
  acceptOffer: {
    by: ['consumer', 'provider'],
    move: 'accept',
    /** `reminders`: of the booking, planned by the sender or by an activity, as in `answerReschedule`. */
    carries: carries<{ offerId: string; bookingId: string; reminders?: PlannedReminders }>(),
    notifies: ['offer_received', 'offer_superseded'],
    says: 'a yes of the side whose turn it is',
    route: {
      path: '/offers/:offerId/accept',
      summary: 'Accept: whoever has the turn',
      description:
        'The consumer accepts a proposal; the provider accepts a counter-offer or, in instant mode, the invitation. In compare mode a provider who accepts an ' +
        'invitation proposes the suggested terms (200). The slot is held in the same transaction: of any number of racers exactly one gets it, the others `slot_taken`.',
      mayCreate: 'the booking',
      errors: ['price_out_of_bounds', 'outside_slot_rules', 'slot_taken'],
    },
  },
  declineOffer: {
    by: ['consumer', 'provider'],
    move: 'decline',
    carries: carries<{ offerId: string }>(),
    notifies: ['offer_declined'],
    says: 'a no to an offer',
    route: { path: '/offers/:offerId/decline', summary: 'Say no: whoever has the turn' },
  },
  withdrawOffer: {
    by: ['provider'],
    move: 'withdraw',
    carries: carries<{ offerId: string }>(),
    notifies: ['offer_withdrawn'],
    says: 'a provider takes an offer back',
    route: { path: '/offers/:offerId/withdraw', summary: 'Provider: take a proposal back' },
  },
} as const satisfies Verbs;

/** Kinds of notifications about offers. */
export type OfferNews = KindOf<typeof offerVerbs> | 'invited';

export interface Invitation extends Terms {
  offerId: string;
  providerId: string;
  score: number;
}

export type OfferEvent =
  | ({ type: 'offer.invited'; requestId: string; round: number; expiresAt: string } & Invitation)
  | ({ type: 'offer.proposed' | 'offer.countered'; offerId: string; version: number } & Terms)
  | { type: 'offer.accepted'; offerId: string; bookingId: string; providerId: string }
  | { type: 'offer.declined' | 'offer.withdrawn'; offerId: string }
  | { type: 'offer.expired' | 'offer.superseded'; offerId: string; code: string };
