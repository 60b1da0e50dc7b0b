import { DomainError, invalid } from '../errors.ts';
import { decideOffer, expired, isOfferCommand, superseded } from './offer-decide.ts';
import { urgencyOf } from '../policy.ts';
import { checkIntervention } from '../intervention.ts';
import { requestMachine, requestVerbs } from './machine.ts';
import { isClosed, liveOffers, offersThatAre, openOffers } from './evolve.ts';
import type { RequestCommand, RequestState, RequestTimelineEvent } from './types.ts';
import type { BookingOutcome } from '../terms.ts';
import { iso } from '../time.ts';
import { droppedFrom, mergeDraft } from './draft.ts';
import type { DraftSummary, RequestMode } from './draft.ts';
import { tell } from '../timeline.ts';
import type { RequestStatus } from './machine.ts';

type Command<D extends RequestCommand['do']> = Extract<RequestCommand, { do: D }>;

/**
 * The events that a command writes. @param now milliseconds since the epoch
 * @throws DomainError the refusal
 */
export function decideRequest(state: RequestState, command: RequestCommand, now: number): RequestTimelineEvent[] {
  if (isOfferCommand(command))
    return collecting(state, () => stoppingAtEnough(state, command.offerId, decideOffer(state, command, now), now));
  switch (command.do) {
    case 'open':
      return open(state, command);
    case 'postMessage':
      return postMessage(state, command);
    case 'completeTurn':
      return completeTurn(state, command, now);
    case 'editRequest':
      return editRequest(state, command, now);
    case 'submitRequest':
      owned(state, command.by.id);
      return submit(state, state.draft, command.draftHash, now);
    case 'invite':
      return invite(state, command, now);
    case 'remindRound':
      if (state.round !== command.round || state.remindAt === null) return [];
      return offersThatAre(state, 'invited').length
        ? [remindRound(state, command.round)]
        : [{ type: 'round.reminded', round: command.round }];
    case 'closeRound':
      return closeRound(state, command, now);
    case 'loseOffer': {
      const offer = state.offers[command.offerId];
      return offer && openOffers(state).some(([id]) => id === command.offerId) ? [superseded(command.offerId, offer, command.code)] : [];
    }
    case 'endBooking':
      return endBooking(state, command);
    case 'cancelRequest':
      return cancel(state, command);
    case 'claimRequest':
      return claim(state, command);
    case 'nudge':
      if (state.status !== 'intake' || state.nudged || now < silenceEnds(state, 'nudge')) return [];
      return [{ type: 'request.nudged', audience: [state.consumerId], notify: tell('intake_idle', state.consumerId) }];
    case 'abandon':
      // A message or a submission may have come while this command waited for its turn.
      if (state.status !== 'intake' || state.pendingTurns.length || now < silenceEnds(state, 'abandon')) return [];
      return [{ type: 'request.abandoned', code: 'idle', audience: [state.consumerId] }];
    case 'giveUp':
      if (!requestMachine.can(state.status, 'giveUp')) return [];
      return [
        ...endOffers(state, command.code),
        {
          type: 'request.unfilled',
          code: command.code,
          audience: [state.consumerId],
          notify: tell('request_unfilled', state.consumerId),
        },
      ];
    case 'intervene':
      return intervene(state, command, now);
  }
}

function open(state: RequestState, { requestId, consumerId, mode, catalogueVersion, policy }: Command<'open'>): RequestTimelineEvent[] {
  // A rebuilt or reset run finds its stream open and has nothing to write.
  if (state.opened) return [];
  return [{ type: 'request.opened', requestId, consumerId, mode, catalogueVersion, policy, audience: [consumerId] }];
}

function postMessage(state: RequestState, { by, messageId, turnId }: Command<'postMessage'>): RequestTimelineEvent[] {
  owned(state, by.id);
  possible(state, 'postMessage');
  if (state.pendingTurns.length >= state.policy!.maxPendingTurns) throw new DomainError('conversation_busy', undefined, { retryAfterS: 2 });
  return [{ type: 'message.posted', messageId, turnId, audience: [state.consumerId] }];
}

/**
 * Ends a turn and merges its facts into the draft. If the person has meanwhile changed one of these facts elsewhere, the turn is refused
 * and the run answers it again on the new draft. The last attempt leaves such facts out. A turn that ends after intake changes no draft.
 * @throws draft_changed; for a yes also the refusals of `submit`
 */
function completeTurn(state: RequestState, command: Command<'completeTurn'>, now: number): RequestTimelineEvent[] {
  const { turnId, intent, agreed = null, last } = command;
  if (!state.pendingTurns.some((pending) => pending.turnId === turnId)) return [];
  const completed = (draft: DraftSummary): RequestTimelineEvent => ({
    type: 'turn.completed',
    turnId,
    intent,
    draft,
    ...droppedBetween(state.draft, draft),
    audience: [state.consumerId],
  });
  if (state.status !== 'intake') return [completed(state.draft)];
  const { draft, contradicted } = merged(state, command);
  if (contradicted.length && !last) throw draftChanged(contradicted);
  if (intent === 'cancel') return [completed(draft), { type: 'request.cancelled', code: 'consumer', audience: [state.consumerId] }];
  if (intent !== 'submit') return [completed(draft)];
  // `agreed` is the hash of the draft to which the person said yes.
  if (draft.hash && draft.hash === agreed) return [completed(draft), ...submit(state, draft, agreed, now)];
  if (last) return [completed(draft)];
  throw draftChanged([]);
}

function editRequest(state: RequestState, command: Command<'editRequest'>, now: number): RequestTimelineEvent[] {
  const { by, mode = state.mode, submit: submitNow } = command;
  owned(state, by.id);
  possible(state, 'editRequest');
  const { draft, contradicted } = merged(state, command, mode);
  const modeChanged = command.mode && command.changes && (state.draftChangedAt['mode'] ?? 0) > command.changes.basedOn;
  if (contradicted.length || modeChanged) throw draftChanged([...contradicted, ...(modeChanged ? ['mode'] : [])]);
  const changesNothing = command.changes && mode === state.mode && sameFacts(draft, state.draft);
  const edited: RequestTimelineEvent = {
    type: 'request.edited',
    draft,
    mode,
    ...droppedBetween(state.draft, draft),
    audience: [state.consumerId],
  };
  return [...(changesNothing ? [] : [edited]), ...(submitNow ? submit(state, draft, draft.hash, now) : [])];
}

/** Merges a writer's changes into the run's draft. */
function merged(state: RequestState, { changes }: Command<'completeTurn' | 'editRequest'>, mode: RequestMode = state.mode) {
  return changes ? mergeDraft(state.draft, state.draftChangedAt, changes, mode) : { draft: state.draft, contradicted: [] };
}

const sameFacts = (one: DraftSummary, other: DraftSummary): boolean =>
  one.facts.length === other.facts.length && one.facts.every(({ factId }) => other.facts.some((fact) => fact.factId === factId));

function droppedBetween(before: DraftSummary, after: DraftSummary): { dropped?: string[] } {
  const dropped = droppedFrom(before, after);
  return dropped.length ? { dropped } : {};
}

/** @param keys facts that were changed meanwhile */
const draftChanged = (keys: readonly string[]): DomainError =>
  new DomainError('draft_changed', keys.length ? `Changed meanwhile: ${keys.join(', ')}.` : undefined, {
    allowed: ['editRequest', 'submitRequest'],
    ...(keys.length && { fields: keys.map((key) => ({ field: `/${key}`, message: 'was changed meanwhile' })) }),
  });

/**
 * Sends the request out. The consumer must have said yes to exactly this draft. @throws invalid_transition, draft_incomplete, draft_changed
 */
function submit(state: RequestState, draft: DraftSummary, agreedHash: string | null, now: number): RequestTimelineEvent[] {
  requestMachine.next(state.status, 'submit');
  if (draft.missing.length || !draft.hash) {
    throw new DomainError('draft_incomplete', `Still missing: ${draft.missing.join(', ')}.`, {
      fields: draft.missing.map((key) => ({ field: `/facts/${key}`, message: 'required' })),
      allowed: ['editRequest', 'postMessage'],
    });
  }
  if (draft.hash !== agreedHash) throw draftChanged([]);
  const urgency = urgencyOf(draft.windowEndsAt!, now);
  return [{ type: 'request.submitted', draftHash: draft.hash, urgency, facts: draft.facts, audience: [state.consumerId] }];
}

function invite(state: RequestState, { round, radiusKm, invitations, priority }: Command<'invite'>, now: number): RequestTimelineEvent[] {
  if (round <= state.round) return []; // a rebuilt run: this round is already open
  requestMachine.next(state.status, 'invite');
  const windowMs = state.policy!.roundWindowMs[priority ? 'urgent' : state.urgency];
  const closesAt = iso(now + (invitations.length ? windowMs : 0));
  return [
    {
      type: 'round.opened',
      round,
      radiusKm,
      invited: invitations.length,
      remindAt: iso(now + windowMs / 2),
      closesAt,
      ...(priority && { priority }),
      audience: [state.consumerId],
    },
    ...invitations.map((invitation) => ({
      type: 'offer.invited' as const,
      requestId: state.requestId,
      round,
      expiresAt: closesAt,
      ...invitation,
      audience: [invitation.providerId],
      notify: tell('invited', invitation.providerId),
    })),
  ];
}

function remindRound(state: RequestState, round: number): RequestTimelineEvent {
  const silent = offersThatAre(state, 'invited').map(([, { providerId }]) => providerId);
  return { type: 'round.reminded', round, audience: silent, notify: tell('invitation_reminder', ...silent) };
}

function closeRound(state: RequestState, { round }: Command<'closeRound'>, now: number): RequestTimelineEvent[] {
  return state.round === round && state.closesAt !== null ? endRound(state, liveOffers(state).length, now) : [];
}

/** A proposal that makes enough offers live (`policy.liveOffers`) also ends the round: the open invitations expire. */
function stoppingAtEnough(state: RequestState, offerId: string, events: RequestTimelineEvent[], now: number): RequestTimelineEvent[] {
  if (events[0]?.type !== 'offer.proposed' || state.closesAt === null) return events;
  const others = liveOffers(state).filter(([id]) => id !== offerId).length;
  return others + 1 >= state.policy!.liveOffers ? [...events, ...endRound(state, others + 1, now, offerId)] : events;
}

/** @param live number of live offers after this command @param answered id of the offer whose invitation has just been answered */
function endRound(state: RequestState, live: number, now: number, answered?: string): RequestTimelineEvent[] {
  const { round } = state;
  const decideBy = live ? iso(now + state.policy!.decisionMs) : null;
  return [
    ...offersThatAre(state, 'invited')
      .filter(([id]) => id !== answered)
      .map(([id, offer]) => expired(id, offer, 'round_closed')),
    {
      type: 'round.closed',
      round,
      live,
      decideBy,
      audience: [state.consumerId],
      notify: live ? tell('offers_ready', state.consumerId) : [],
    },
  ];
}

/** A guest has signed in: the conversation now belongs to their account. Claiming it again changes nothing. */
function claim(state: RequestState, { by, guestId }: Command<'claimRequest'>): RequestTimelineEvent[] {
  if (state.consumerId === by.id) return [];
  if (state.consumerId !== guestId) throw new DomainError('not_owner');
  possible(state, 'claimRequest');
  return [{ type: 'request.claimed', guestId, consumerId: by.id, audience: [by.id] }];
}

/** Ends or reopens the request, depending on how its booking ended. */
function endBooking(state: RequestState, { bookingId, outcome }: Command<'endBooking'>): RequestTimelineEvent[] {
  if (state.accepted?.bookingId !== bookingId || state.status !== 'booked') return [];
  const told = { audience: [state.consumerId] };
  const ends: Record<BookingOutcome, () => RequestTimelineEvent> = {
    completed: () => ({ type: 'request.completed', code: outcome, ...told }),
    cancelled: () => ({ type: 'request.cancelled', code: 'booking_cancelled', ...told }),
    no_show: () => ({ type: 'request.cancelled', code: 'no_show', ...told }),
    provider_dropped: () => reopened(state, outcome),
    released: () => reopened(state, outcome),
    payment_failed: () => ({
      type: 'request.cancelled',
      code: outcome,
      ...told,
      notify: tell('payment_failed', state.consumerId),
    }),
  };
  return [ends[outcome]()];
}

function reopened(state: RequestState, outcome: BookingOutcome): RequestTimelineEvent {
  return {
    type: 'request.reopened',
    excluded: state.accepted!.providerId,
    outcome,
    next: 'priority_round',
    audience: [state.consumerId],
    notify: tell('searching_again', state.consumerId),
  };
}

function cancel(state: RequestState, { by, reason }: Command<'cancelRequest'>): RequestTimelineEvent[] {
  if (by.role !== 'admin') owned(state, by.id);
  if (state.status === 'booked') {
    throw new DomainError('invalid_transition', 'It is booked: cancel the booking instead.', {
      status: 'booked',
      allowed: ['cancelBooking'],
    });
  }
  requestMachine.next(state.status, 'cancel');
  return [...endOffers(state, 'request_cancelled'), { type: 'request.cancelled', code: by.role, reason, audience: [state.consumerId] }];
}

function intervene(state: RequestState, command: Command<'intervene'>, now: number): RequestTimelineEvent[] {
  checkIntervention(command, ['rematch', 'extend_deadline', 'close']);
  const { action, ticket, reason, extendByMs = 0 } = command;
  const intervened: RequestTimelineEvent = { type: 'operator.intervened', action, ticket, reason };
  switch (action) {
    case 'rematch':
      requestMachine.next(state.status, 'rematch');
      return [
        intervened,
        ...offersThatAre(state, 'invited').map(([id, offer]) => superseded(id, offer, 'rematched')),
        { type: 'request.rematched' },
      ];
    case 'extend_deadline': {
      if (state.status !== 'offering') {
        const allowed = isClosed(state) ? [] : ['close'];
        throw new DomainError('invalid_transition', undefined, { status: state.status, allowed });
      }
      if (!Number.isSafeInteger(extendByMs) || extendByMs <= 0) {
        throw invalid('/extendByMs', 'must be milliseconds above 0');
      }
      const later = (instant: string | null) => instant && iso(Math.max(Date.parse(instant), now) + extendByMs);
      return [intervened, { type: 'request.extended', closesAt: later(state.closesAt) ?? '', decideBy: later(state.decideBy) }];
    }
    case 'close':
      if (state.status === 'booked')
        throw new DomainError('invalid_transition', 'Intervene on the booking.', { status: 'booked', allowed: [] });
      requestMachine.next(state.status, 'cancel');
      return [
        intervened,
        ...endOffers(state, 'request_cancelled'),
        { type: 'request.cancelled', code: 'operator', reason, audience: [state.consumerId] },
      ];
  }
}

/**
 * When silence in intake leads to a reminder (`nudge`) or ends the request (`abandon`), in milliseconds since the epoch. The run's clock
 * and `decide` both use this rule.
 */
export const silenceEnds = ({ lastActivityAt, policy }: RequestState, leadsTo: 'nudge' | 'abandon'): number =>
  Date.parse(lastActivityAt) + (leadsTo === 'nudge' ? policy!.intakeNudgeMs : policy!.intakeCloseMs);

const endOffers = (state: RequestState, code: string): RequestTimelineEvent[] =>
  openOffers(state).map(([id, offer]) => superseded(id, offer, code));

function owned(state: RequestState, actorId: string): void {
  if (actorId !== state.consumerId) throw new DomainError('not_owner');
}

/** @throws invalid_transition in a status that the table of verbs does not name */
function possible(state: RequestState, verb: 'postMessage' | 'editRequest' | 'claimRequest'): void {
  const from: readonly RequestStatus[] = requestVerbs[verb].from;
  if (from.includes(state.status)) return;
  throw new DomainError('invalid_transition', `The request is ${state.status}: ${verb} is not possible any more.`, {
    status: state.status,
    allowed: requestMachine.allowed(state.status),
  });
}

function collecting<T>(state: RequestState, decision: () => T): T {
  if (state.status === 'offering' || state.status === 'matching') return decision();
  // The run may go on for the reviews after the request's end. The code is then the one that the API gives when the run has ended.
  const code = isClosed(state) ? 'invalid_transition' : 'offer_not_open';
  throw new DomainError(code, `The request is ${state.status}.`, { status: state.status, allowed: [] });
}
