// The run of one request, from the first message to the final outcome. Every wait is on the folded state, so a run can begin again from any
// timeline.
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { IntakeActivities } from '../activities/intake.ts';
import type { MatchingActivities } from '../activities/matching.ts';
import { bookingWorkflowId, tellRequest } from '../contracts/booking.messages.ts';
import {
  bookingEnded,
  offerAccepted,
  offerUpdates,
  type RequestInput,
  requestUpdates,
  requestWorkflowId,
} from '../contracts/request.messages.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import { SYSTEM } from '../domain/actor.ts';
import { ofFirstRelease } from '../domain/policy.ts';
import { decideRequest, silenceEnds } from '../domain/request/decide.ts';
import { emptyRequest, evolveRequest, hasPriority, isClosed, liveOffers, offersThatAre } from '../domain/request/evolve.ts';
import type { RequestCommand, RequestState } from '../domain/request/types.ts';
import { actor } from './actor.ts';
import { alarm } from './alarm.ts';
import { bookingWorkflow } from './booking.ts';
import { describeRequest } from './details.ts';
import { receive } from './receive.ts';
import type { CommandAnswer } from '../domain/command.ts';
import type { BookingOutcome } from '../domain/terms.ts';
import { isEventId, isUuid } from '../domain/ids.ts';
import { requestVerbs } from '../domain/request/machine.ts';
import { offerVerbs } from '../domain/request/offer.ts';
import { startOnce } from './child.ts';
import { answerPosition } from './position.ts';
import { needAttention } from './attention.ts';

const { match } = proxyLocalActivities<MatchingActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', maximumInterval: '2s' },
});
const { runTurn } = proxyActivities<IntakeActivities>({
  taskQueue: 'proxie-llm',
  startToCloseTimeout: '90s',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '500ms', maximumInterval: '10s', maximumAttempts: 10 },
});

/** Most answers to one message when the person changes the draft during each of them. */
const turnAttempts = 3;

export async function requestWorkflow(input: RequestInput): Promise<{ outcome: RequestState['status'] }> {
  const { requestId, consumerId, policy } = input;
  const opening = { ...input, id: 'open', do: 'open', by: { id: consumerId, role: 'consumer' } } as RequestCommand;
  const request = actor({
    stream: requestWorkflowId(requestId),
    initial: input.carried?.state ?? emptyRequest,
    opening,
    seq: input.carried?.seq,
    decide: decideRequest,
    evolve: evolveRequest,
    onFold: (state) => setCurrentDetails(describeRequest(state)),
  });
  const timer = alarm();
  let staged = 'intake null';
  let lostAt = 0;
  let turnsBefore = input.carried?.state.turns ?? 0;

  answerPosition(request);
  receive(request, requestVerbs, requestUpdates);
  receive(request, offerVerbs, offerUpdates, { acceptOffer: takingSlot });
  setHandler(offerAccepted, (fact) => request.commitFact(acceptanceOf(fact), takingSlot), {
    description: "a provider's acceptance as a plain signal",
  });
  setHandler(bookingEnded, (end) => request.commitFact(ended(end)), { description: 'the booking tells its end' });

  // A message in the first task is dispatched inside `setHandler`, and has then already opened the stream.
  await request.act(opening);
  await intake();
  while (!isClosed(request.state)) {
    const agreed = request.state.status === 'booked' || (await findOffer());
    if (!agreed) break;
    await book();
    await condition(() => request.state.status !== 'booked');
  }
  stage();
  await condition(allHandlersFinished);
  return { outcome: request.state.status };

  /** Accepts an offer. If somebody else has taken the slot, the offer is given up and the search goes on. */
  async function takingSlot(command: Extract<RequestCommand, { do: 'acceptOffer' }>): Promise<CommandAnswer> {
    try {
      return await request.commit(command);
    } catch (error) {
      if (error instanceof ApplicationFailure && error.type === 'slot_taken') {
        await request.commit({ id: `${command.id}/lost`, do: 'loseOffer', by: SYSTEM, offerId: command.offerId, code: 'slot_taken' });
        lostAt = request.seq;
      }
      throw error;
    }
  }

  /** Runs until the request is submitted, abandoned or cancelled: answers every message, reminds once, gives up after long silence. */
  async function intake(): Promise<void> {
    while (request.state.status === 'intake') {
      const [pending] = request.state.pendingTurns;
      if (pending) {
        await answer(pending);
        if (workflowInfo().continueAsNewSuggested || request.state.turns - turnsBefore >= policy.maxTurns) await continueConversation();
        continue;
      }
      const { nudged } = request.state;
      const stirred = () => request.state.status !== 'intake' || request.state.pendingTurns.length > 0 || request.state.nudged !== nudged;
      const inTime = await timer.until(stirred, () => silenceEnds(request.state, nudged ? 'abandon' : 'nudge'), 'silence in intake');
      if (!inTime) await request.act(systemCommand(nudged ? 'abandon' : 'nudge', request.seq));
    }
    timer.disarm();
    stage();
  }

  /**
   * Answers one message. If the draft was changed meanwhile, the turn is answered again on the new draft. The third answer leaves out facts
   * that contradict the new draft.
   */
  async function answer({ turnId, messageId }: { turnId: string; messageId: string }): Promise<void> {
    const completing = { id: `turn/${turnId}`, do: 'completeTurn', by: SYSTEM, turnId } as const;
    try {
      for (let attempt = 1, again = {}; attempt <= turnAttempts; attempt += 1, again = { after: request.seq }) {
        const summary = `turn ${request.state.turns}${attempt > 1 ? ', again: the draft has changed' : ''}`;
        const outcome = await runTurn.executeWithOptions({ summary }, [{ requestId, turnId, messageId, ...again }]);
        const refusal = await request.act({ ...completing, ...outcome, ...(attempt === turnAttempts && { last: true }) });
        if (!refusal) return;
      }
    } catch (error) {
      log.error('a turn could not be answered', { turnId, error });
      needAttention();
    }
    await request.act({ ...completing, intent: 'hand_off' });
  }

  /**
   * Opens rounds of invitations until a provider is booked.
   * @returns false when the request closed without a booking
   */
  async function findOffer(): Promise<boolean> {
    for (;;) {
      const { status, closesAt, decideBy } = request.state;
      if (status === 'booked') break;
      if (status !== 'matching' && status !== 'offering') return false;
      if (closesAt) await collect();
      else if (decideBy && liveOffers(request.state).length > 0) await awaitDecision();
      // A refusal leaves the run only at the end of its workflow task. The search waits for the next task, so that whoever lost the race
      // hears of it first.
      else if (request.seq === lostAt && !ofFirstRelease(policy)) await refusalGone();
      else if (request.state.round - request.state.searchedBefore < policy.maxRounds) await openRound(request.state.round + 1);
      else await giveUp(Object.keys(request.state.offers).length ? 'no_agreement' : 'no_provider_found');
    }
    timer.disarm();
    return true;
  }

  async function refusalGone(): Promise<void> {
    lostAt = 0;
    await sleep(1, { summary: 'the refusal goes out first' });
  }

  async function openRound(round: number): Promise<void> {
    const radiusKm = Math.round(policy.radiusKm * policy.radiusFactor ** (round - 1 - request.state.searchedBefore) * 10) / 10;
    // Searches that began under the first release keep the window that people were told.
    const priority = hasPriority(request.state, round) && !ofFirstRelease(policy);
    const excluded = [...request.state.excluded, request.state.consumerId];
    const found = await match.executeWithOptions({ summary: `round ${round}: ${radiusKm} km${priority ? ', with priority' : ''}` }, [
      {
        requestId,
        facts: request.state.agreed.map(({ factId }) => factId),
        round,
        radiusKm,
        excluded,
        policy,
        lostRounds: request.state.lostRounds,
        priority,
      },
    ]);
    const invitations = found.map((candidate) => ({ offerId: uuid4(), ...candidate }));
    await request.act({ id: `round/${round}`, do: 'invite', by: SYSTEM, round, radiusKm, invitations, ...(priority && { priority }) });
    if (invitations.length) stage();
  }

  /** Collects offers until enough are live, no invitation is left unanswered, or the round's deadline comes. Reminds at half-time. */
  async function collect(): Promise<void> {
    const { round } = request.state;
    const settled = () =>
      request.state.status !== 'offering' || request.state.round !== round || !request.state.closesAt || enough(request.state);
    const deadline = () => earliest(request.state.remindAt, request.state.closesAt);
    if (await timer.until(settled, deadline, `round ${round}: reminder or end`)) {
      if (request.state.status !== 'offering' || !enough(request.state)) return;
    } else if (Date.parse(request.state.closesAt ?? '') > Date.now()) {
      await request.act({ id: `remind/${round}`, do: 'remindRound', by: SYSTEM, round });
      return;
    }
    await request.act({ id: `close/${round}/${request.seq}`, do: 'closeRound', by: SYSTEM, round });
  }

  async function awaitDecision(): Promise<void> {
    const decided = () => request.state.status !== 'offering' || liveOffers(request.state).length === 0;
    if (!(await timer.until(decided, () => earliest(request.state.decideBy), 'the consumer decides'))) await giveUp('no_decision');
  }

  async function giveUp(code: string): Promise<void> {
    await request.act({ id: `give-up/${request.seq}`, do: 'giveUp', by: SYSTEM, code });
  }

  /** Starts the booking's own run. The slot is held since the acceptance. A booking run that exists already will tell its end by Signal. */
  async function book(): Promise<void> {
    stage();
    const { bookingId, providerId } = request.state.accepted!;
    const service = request.state.draft.service ?? '';
    const booking = await startOnce(bookingWorkflow, {
      workflowId: bookingWorkflowId(bookingId),
      bookingId,
      staticSummary: `Booking of ${request.state.draft.service}`,
      stage: 'confirmed',
      consumerId: request.state.consumerId,
      providerId,
      service,
    });
    // The child's result tells the booking's end. If the booking run failed, the reconciler starts a new one, which sends a Signal.
    if (booking) {
      void booking.result().then(
        ({ outcome }) => request.commitFact(ended({ bookingId, outcome })),
        () => {},
      );
      return;
    }
    // The booking's run exists already, so this run was rebuilt. It has no child result and asks for a Signal.
    await getExternalWorkflowHandle(bookingWorkflowId(bookingId))
      .signal(tellRequest)
      .catch(() => log.warn('the booking has ended; the reconciler tells us'));
  }

  /**
   * Updates the search attributes that operators filter by. Each upsert is billed, so there is one per stage in which somebody waits.
   * `matching` is left out: it ends within the task that begins it.
   */
  function stage(): void {
    const { status, draft, closesAt, decideBy } = request.state;
    const deadline = earliest(closesAt, decideBy);
    if (status === 'matching' || staged === `${status} ${deadline}`) return;
    staged = `${status} ${deadline}`;
    upsertSearchAttributes([
      { key: searchAttributes.stage, value: status },
      { key: searchAttributes.deadline, value: deadline === null ? null : new Date(deadline) },
      ...(draft.service ? [{ key: searchAttributes.service, value: draft.service }] : []),
      ...(draft.region ? [{ key: searchAttributes.region, value: draft.region }] : []),
    ]);
  }

  async function continueConversation(): Promise<void> {
    await condition(() => allHandlersFinished() && request.idle());
    if (request.state.status !== 'intake') return;
    turnsBefore = request.state.turns;
    await continueAsNew<typeof requestWorkflow>({ ...input, carried: { state: request.state, seq: request.seq } });
  }

  function enough(state: RequestState): boolean {
    return liveOffers(state).length >= policy.liveOffers || offersThatAre(state, 'invited').length === 0;
  }
}

const ended = ({ bookingId, outcome }: { bookingId: string; outcome: BookingOutcome }) => ({
  id: `ended/${bookingId}`,
  do: 'endBooking' as const,
  by: SYSTEM,
  bookingId,
  outcome,
});

const systemCommand = (what: 'nudge' | 'abandon', seq: number) => ({ id: `${what}/${seq}`, do: what, by: SYSTEM });

/** Makes a command from a Signal. Nobody has validated the Signal: values that do not fit lead to a refusal on the timeline. */
function acceptanceOf(fact: Partial<{ offerId: string; providerId: string; eventId: string }> | undefined) {
  const { offerId, providerId, eventId } = fact ?? {};
  const by = isUuid(providerId) ? { id: providerId, role: 'provider' as const } : SYSTEM;
  const id = isEventId(eventId) ? eventId : uuid4();
  return { id: `signal/${id}`, do: 'acceptOffer' as const, by, offerId: String(offerId), bookingId: uuid4() };
}

function earliest(...instants: (string | null)[]): number | null {
  const times = instants.flatMap((instant) => (instant ? [Date.parse(instant)] : []));
  return times.length ? Math.min(...times) : null;
}
