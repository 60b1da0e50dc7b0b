import type { CommandMeta } from '../command.ts';
import type { BookingOpening } from '../booking/types.ts';
import type { Policy, Urgency } from '../policy.ts';
import type { BookingOutcome, Terms } from '../terms.ts';
import type { CommandRefused, EventBase, StreamState } from '../timeline.ts';
import type { CommandOf } from '../verb.ts';
import type { ChangedAt, DraftChanges, DraftSummary, FactRef, RequestMode } from './draft.ts';
import type { RequestNews, RequestStatus, requestVerbs } from './machine.ts';
import type { Invitation, OfferEvent, OfferNews, OfferStatus, offerVerbs } from './offer.ts';

export type TurnIntent = 'ask' | 'clarify' | 'confirm' | 'submit' | 'cancel' | 'hand_off' | 'chat';

/** Commands that the run gives to itself: for its clock, its search and its turns. */
type RequestStep = CommandMeta &
  (
    | { do: 'open'; requestId: string; consumerId: string; mode: RequestMode; catalogueVersion: number; policy: Policy }
    /** `agreed`: the hash of the draft that the person said yes to. `last`: facts that contradict newer ones are left out. */
    | { do: 'completeTurn'; turnId: string; intent: TurnIntent; agreed?: string | null; last?: true; changes?: DraftChanges }
    | { do: 'invite'; round: number; radiusKm: number; invitations: Invitation[]; priority?: true }
    | { do: 'remindRound'; round: number }
    | { do: 'closeRound'; round: number }
    | { do: 'loseOffer'; offerId: string; code: string }
    | { do: 'endBooking'; bookingId: string; outcome: BookingOutcome }
    | { do: 'nudge' }
    | { do: 'abandon' }
    | { do: 'giveUp'; code: string }
  );

export type OfferCommand = CommandOf<typeof offerVerbs>;
export type RequestCommand = CommandOf<typeof requestVerbs> | OfferCommand | RequestStep;

export type RequestEvent = EventBase<RequestNews | OfferNews> &
  (
    | OfferEvent
    | { type: 'request.opened'; requestId: string; consumerId: string; mode: RequestMode; catalogueVersion: number; policy: Policy }
    | { type: 'message.posted'; messageId: string; turnId: string }
    /** `dropped`: keys of the facts that have left the draft. */
    | { type: 'turn.completed'; turnId: string; intent: TurnIntent; draft: DraftSummary; dropped?: string[] }
    | { type: 'request.edited'; draft: DraftSummary; mode: RequestMode; dropped?: string[] }
    /**
     * `facts`: the agreed facts. From here on everybody reads these. Absent on timelines of the first two releases: the draft's facts
     * count.
     */
    | { type: 'request.submitted'; draftHash: string; urgency: Urgency; facts?: FactRef[] }
    | { type: 'round.opened'; round: number; radiusKm: number; invited: number; remindAt: string; closesAt: string; priority?: true }
    | { type: 'round.reminded'; round: number }
    | { type: 'round.closed'; round: number; live: number; decideBy: string | null }
    | { type: 'request.reopened'; excluded: string; outcome: BookingOutcome; next: 'priority_round' }
    | { type: 'request.rematched' }
    | { type: 'request.extended'; closesAt: string; decideBy: string | null }
    | { type: 'request.nudged' }
    | { type: 'request.claimed'; guestId: string; consumerId: string }
    | { type: 'request.completed' | 'request.cancelled' | 'request.abandoned' | 'request.unfilled'; code: string }
    | { type: 'operator.intervened'; action: string; ticket: string }
  );

/** The events that a request's command writes: its own, refusals of facts, and the first events of the booking it opens. */
export type RequestTimelineEvent = RequestEvent | CommandRefused | BookingOpening;

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
  draftChangedAt: ChangedAt;
  /** The facts that the consumer agreed to and that were sent out. */
  agreed: FactRef[];
  urgency: Urgency;
  /** Turns waiting for an answer, oldest first. */
  pendingTurns: { turnId: string; messageId: string }[];
  turns: number;
  round: number;
  radiusKm: number;
  /** The last round of earlier searches, else 0. A new search has all its rounds again. */
  searchedBefore: number;
  /** The last round before a booking fell through, else 0. Providers who lost in a round up to this one may be asked again. */
  lostRounds: number;
  /** Instants, RFC 3339: when the open round reminds, when it closes, and until when the consumer must decide. */
  remindAt: string | null;
  closesAt: string | null;
  decideBy: string | null;
  lastActivityAt: string;
  nudged: boolean;
  offers: Record<string, OfferState>;
  accepted: { offerId: string; bookingId: string; providerId: string } | null;
  /** Ids of all bookings that this request has led to, oldest first. */
  bookings: string[];
  excluded: string[];
}
