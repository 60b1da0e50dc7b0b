// The life of one request, from the first message until it is closed. Every wait is on the folded state, so a life can begin again from any
// timeline.
import { log, proxyActivities, proxyLocalActivities, sleep, uuid4 } from '@temporalio/workflow';
import type { IntakeActivities } from '../../activities/intake.ts';
import type { MatchingActivities } from '../../activities/matching.ts';
import { SYSTEM } from '../../domain/actor.ts';
import { ofFirstRelease } from '../../domain/policy.ts';
import { silenceEnds } from '../../domain/request/decide.ts';
import { hasPriority, isClosed, liveOffers, offersThatAre } from '../../domain/request/evolve.ts';
import type { RequestCommand, RequestState } from '../../domain/request/types.ts';
import type { Actor } from '../actor.ts';
import type { Alarm } from '../alarm.ts';
import type { Attention } from '../attention.ts';

// An error that no retry cures parks the search. Retried without end, it would keep the run's task busy, and with it the other streams.
const { match } = proxyLocalActivities<MatchingActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', maximumInterval: '2s', nonRetryableErrorTypes: ['DomainError', 'TypeError'] },
});
const { runTurn } = proxyActivities<IntakeActivities>({
  taskQueue: 'proxie-llm',
  startToCloseTimeout: '90s',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '500ms', maximumInterval: '10s', maximumAttempts: 10 },
});

/** Most answers to one message when the person changes the draft during each of them. */
const turnAttempts = 3;

interface Around {
  clock: Alarm;
  attention: Attention;
  /** The command that tells the request its booking's end, once the booking is over. */
  ended(): RequestCommand | undefined;
  /** Position at which an offer was lost in the present task, else 0. */
  lost: { at: number };
}

export async function liveRequest(request: Actor<RequestState, RequestCommand>, { clock, attention, ended, lost }: Around): Promise<void> {
  const policy = () => request.state.policy!;

  await intake();
  while (!isClosed(request.state)) {
    const agreed = request.state.status === 'booked' || (await findOffer());
    if (!agreed) break;
    await liveBooked();
  }

  /** Runs until the request is submitted, abandoned or cancelled: answers every message, reminds once, gives up after long silence. */
  async function intake(): Promise<void> {
    if (request.state.status !== 'intake') return;
    while (request.state.status === 'intake') {
      const [pending] = request.state.pendingTurns;
      if (pending) {
        await answer(pending);
        continue;
      }
      const { nudged } = request.state;
      const stirred = () => request.state.status !== 'intake' || request.state.pendingTurns.length > 0 || request.state.nudged !== nudged;
      const inTime = await clock.until(stirred, () => silenceEnds(request.state, nudged ? 'abandon' : 'nudge'), 'silence in intake');
      if (!inTime) await request.act(systemCommand(nudged ? 'abandon' : 'nudge', request.seq));
    }
    clock.disarm();
  }

  /**
   * Answers one message. If the draft was changed meanwhile, the turn is answered again on the new draft. The third answer leaves out facts
   * that contradict the new draft.
   */
  async function answer({ turnId, messageId }: { turnId: string; messageId: string }): Promise<void> {
    const { requestId } = request.state;
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
      attention.flag('a turn');
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
      else if (request.seq === lost.at) await refusalGone();
      else if (request.state.round - request.state.searchedBefore < policy().maxRounds) await openRound(request.state.round + 1);
      else await giveUp(Object.keys(request.state.offers).length ? 'no_agreement' : 'no_provider_found');
    }
    clock.disarm();
    return true;
  }

  async function refusalGone(): Promise<void> {
    lost.at = 0;
    await sleep(1, { summary: 'the refusal goes out first' });
  }

  async function openRound(round: number): Promise<void> {
    const { requestId, searchedBefore, consumerId, agreed, lostRounds } = request.state;
    const radiusKm = Math.round(policy().radiusKm * policy().radiusFactor ** (round - 1 - searchedBefore) * 10) / 10;
    // Searches that began under the first release keep the window that people were told.
    const priority = hasPriority(request.state, round) && !ofFirstRelease(policy());
    const found = await match.executeWithOptions({ summary: `round ${round}: ${radiusKm} km${priority ? ', with priority' : ''}` }, [
      {
        requestId,
        facts: agreed.map(({ factId }) => factId),
        round,
        radiusKm,
        excluded: [...request.state.excluded, consumerId],
        policy: policy(),
        lostRounds,
        priority,
      },
    ]);
    const invitations = found.map((candidate) => ({ offerId: uuid4(), ...candidate }));
    await request.act({ id: `round/${round}`, do: 'invite', by: SYSTEM, round, radiusKm, invitations, ...(priority && { priority }) });
  }

  /** Collects offers until enough are live, no invitation is left unanswered, or the round's deadline comes. Reminds at half-time. */
  async function collect(): Promise<void> {
    const { round } = request.state;
    const settled = () =>
      request.state.status !== 'offering' || request.state.round !== round || !request.state.closesAt || enough(request.state);
    const deadline = () => earliest(request.state.remindAt, request.state.closesAt);
    if (await clock.until(settled, deadline, `round ${round}: reminder or end`)) {
      if (request.state.status !== 'offering' || !enough(request.state)) return;
    } else if (Date.parse(request.state.closesAt ?? '') > Date.now()) {
      await request.act({ id: `remind/${round}`, do: 'remindRound', by: SYSTEM, round });
      return;
    }
    await request.act({ id: `close/${round}/${request.seq}`, do: 'closeRound', by: SYSTEM, round });
  }

  async function awaitDecision(): Promise<void> {
    const decided = () => request.state.status !== 'offering' || liveOffers(request.state).length === 0;
    if (!(await clock.until(decided, () => earliest(request.state.decideBy), 'the consumer decides'))) await giveUp('no_decision');
  }

  async function giveUp(code: string): Promise<void> {
    await request.act({ id: `give-up/${request.seq}`, do: 'giveUp', by: SYSTEM, code });
  }

  /**
   * Waits for the end of the booking. The message that ends the booking tells the request in the same transaction. The command here is for
   * an end that the request was not told of: one of an earlier release, or one at which the request could not be written.
   */
  async function liveBooked(): Promise<void> {
    const booked = () => request.state.status === 'booked';
    await clock.rest(() => !booked() || ended() !== undefined);
    const end = ended();
    if (booked() && end) await request.act(end);
  }

  function enough(state: RequestState): boolean {
    return liveOffers(state).length >= policy().liveOffers || offersThatAre(state, 'invited').length === 0;
  }
}

const systemCommand = (what: 'nudge' | 'abandon', seq: number) => ({ id: `${what}/${seq}`, do: what, by: SYSTEM });

function earliest(...instants: (string | null)[]): number | null {
  const times = instants.flatMap((instant) => (instant ? [Date.parse(instant)] : []));
  return times.length ? Math.min(...times) : null;
}
