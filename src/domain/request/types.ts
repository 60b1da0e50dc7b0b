import type { BookingHeld } from '../booking/types.ts';
import type { Currency } from '../money.ts';
import type { OfferStatus, RequestStatus } from './machine.ts';
import type { Policy, Urgency } from '../policy.ts';
import type { CommandRefused, EventBase, StreamState } from '../timeline.ts';
import type { BookingOutcome, Terms } from '../terms.ts';
import type { CommandMeta } from '../command.ts';

export type RequestMode = 'compare' | 'instant';
/** The draft as the workflow knows it: its hash and what the rules need; the facts themselves stay in Postgres. */
export interface DraftSummary {
  facts: { key: string; factId: string }[];
  service: string | null;
  missing: string[];
  hash: string | null;
  /** Bounds of the service's price, and when the window to start in closes. */
  price: { min: number; max: number; currency: Currency } | null;
  windowEndsAt: string | null;
  /** The search area's label: never an address. */
  region: string | null;
}

export type TurnIntent = 'ask' | 'clarify' | 'confirm' | 'submit' | 'cancel' | 'hand_off' | 'chat';

export interface Invitation extends Terms {
  offerId: string;
  providerId: string;
  score: number;
}

export type RequestCommand = CommandMeta &
  (
    | { do: 'open'; requestId: string; consumerId: string; mode: RequestMode; catalogueVersion: number; policy: Policy }
    | { do: 'postMessage'; messageId: string; turnId: string }
    | { do: 'completeTurn'; turnId: string; intent: TurnIntent; draft: DraftSummary }
    | { do: 'editRequest'; draft: DraftSummary; mode?: RequestMode; submit?: boolean }
    | { do: 'submitRequest'; draftHash: string }
    | { do: 'invite'; round: number; radiusKm: number; invitations: Invitation[]; priority?: true }
    | { do: 'remindRound'; round: number }
    | { do: 'closeRound'; round: number }
    | { do: 'proposeOffer'; offerId: string; terms?: Terms }
    | { do: 'counterOffer'; offerId: string; terms: Terms }
    | { do: 'acceptOffer'; offerId: string; bookingId: string }
    | { do: 'declineOffer'; offerId: string }
    | { do: 'withdrawOffer'; offerId: string }
    | { do: 'loseOffer'; offerId: string; code: string }
    | { do: 'endBooking'; bookingId: string; outcome: BookingOutcome }
    | { do: 'cancelRequest' }
    | { do: 'claimRequest'; guestId: string }
    | { do: 'nudge' }
    | { do: 'abandon' }
    | { do: 'giveUp'; code: string }
    | { do: 'intervene'; action: 'rematch' | 'extend_deadline' | 'close'; ticket: string; extendByMs?: number }
  );

export type RequestEvent = EventBase &
  (
    | { type: 'request.opened'; requestId: string; consumerId: string; mode: RequestMode; catalogueVersion: number; policy: Policy }
    | { type: 'message.posted'; messageId: string; turnId: string }
    | { type: 'turn.completed'; turnId: string; intent: TurnIntent; draft: DraftSummary }
    | { type: 'request.edited'; draft: DraftSummary; mode: RequestMode }
    | { type: 'request.submitted'; draftHash: string; urgency: Urgency }
    | { type: 'round.opened'; round: number; radiusKm: number; invited: number; remindAt: string; closesAt: string; priority?: true }
    | ({ type: 'offer.invited'; requestId: string; round: number; expiresAt: string } & Invitation)
    | { type: 'round.reminded'; round: number }
    | { type: 'round.closed'; round: number; live: number; decideBy: string | null }
    | ({ type: 'offer.proposed' | 'offer.countered'; offerId: string; version: number } & Terms)
    | { type: 'offer.accepted'; offerId: string; bookingId: string; providerId: string }
    | { type: 'offer.declined' | 'offer.withdrawn'; offerId: string }
    | { type: 'offer.expired' | 'offer.superseded'; offerId: string; code: string }
    | { type: 'request.reopened'; excluded: string; outcome: BookingOutcome; next: 'priority_round' }
    | { type: 'request.rematched' }
    | { type: 'request.extended'; closesAt: string; decideBy: string | null }
    | { type: 'request.nudged' }
    | { type: 'request.claimed'; guestId: string; consumerId: string }
    | { type: 'request.completed' | 'request.cancelled' | 'request.abandoned' | 'request.unfilled'; code: string }
    | { type: 'operator.intervened'; action: string; ticket: string }
  );

/** What a request's run appends: its own events, refusals of facts, and the first event of the booking it opens. */
export type RequestTimelineEvent = RequestEvent | CommandRefused | (BookingHeld & EventBase);

export interface OfferState extends Terms {
  providerId: string;
  round: number;
  status: OfferStatus;
  version: number;
}

export interface RequestState extends StreamState {
  status: RequestStatus;
  opened: boolean;
  requestId: string;
  consumerId: string;
  mode: RequestMode;
  policy: Policy | null;
  draft: DraftSummary;
  urgency: Urgency;
  /** Turns waiting for an answer, oldest first. */
  pendingTurns: { turnId: string; messageId: string }[];
  turns: number;
  round: number;
  radiusKm: number;
  /** Rounds of earlier searches: a search that starts again has all its rounds. */
  searchedBefore: number;
  /** Rounds up to the last one whose booking fell through: who lost in them may be asked again. */
  lostRounds: number;
  /** Instants, RFC 3339: when the running round reminds and closes, and by when the consumer decides. */
  remindAt: string | null;
  closesAt: string | null;
  decideBy: string | null;
  lastActivityAt: string;
  nudged: boolean;
  offers: Record<string, OfferState>;
  accepted: { offerId: string; bookingId: string; providerId: string } | null;
  excluded: string[];
}
