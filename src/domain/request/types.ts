import type { CommandMeta } from '../command.ts';
import type { BookingHeld } from '../booking/types.ts';
import type { Policy, Urgency } from '../policy.ts';
import type { BookingOutcome, Terms } from '../terms.ts';
import type { CommandRefused, EventBase, StreamState } from '../timeline.ts';
import type { CommandOf } from '../verb.ts';
import type { ChangedAt, DraftSummary, DraftWriting, FactRef, RequestMode } from './draft.ts';
import type { RequestNews, RequestStatus, requestVerbs } from './machine.ts';
import type { Invitation, OfferEvent, OfferNews, OfferStatus, offerVerbs } from './offer.ts';

export type TurnIntent = 'ask' | 'clarify' | 'confirm' | 'submit' | 'cancel' | 'hand_off' | 'chat';

/** What the run does by itself: its clock, its search, its turns. */
type RequestStep = CommandMeta &
  (
    | { do: 'open'; requestId: string; consumerId: string; mode: RequestMode; catalogueVersion: number; policy: Policy }
    /** `agreed`: the hash of the draft that the person said yes to. `last`: what contradicts is left out. */
    | ({ do: 'completeTurn'; turnId: string; intent: TurnIntent; agreed?: string | null; last?: true } & DraftWriting)
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
    /** `dropped`: keys whose fact has left the draft. */
    | { type: 'turn.completed'; turnId: string; intent: TurnIntent; draft: DraftSummary; dropped?: string[] }
    | { type: 'request.edited'; draft: DraftSummary; mode: RequestMode; dropped?: string[] }
    /** `facts`: what was agreed to, and all that anybody reads from here on. Timelines of the first two releases mean their draft. */
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
  /** Absent in states that a run of the second release carried over. */
  draftChangedAt?: ChangedAt;
  /** The facts that were agreed to and sent out. */
  agreed: FactRef[];
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
