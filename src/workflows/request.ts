// The run of one request. It hosts the request, each of its bookings and their reviews: one page in the Web UI tells the whole story.
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { offerAccepted, offerUpdates, type RequestInput, requestUpdates, requestWorkflowId } from '../contracts/request.messages.ts';
import { SYSTEM } from '../domain/actor.ts';
import { needsReminders, planned } from '../domain/booking/open.ts';
import { isOver } from '../domain/booking/state.ts';
import type { BookingState } from '../domain/booking/types.ts';
import type { CommandAnswer } from '../domain/command.ts';
import { isEventId, isUuid } from '../domain/ids.ts';
import { decideRequest } from '../domain/request/decide.ts';
import { emptyRequest, evolveRequest, isClosed } from '../domain/request/evolve.ts';
import { requestVerbs } from '../domain/request/machine.ts';
import { offerVerbs } from '../domain/request/offer.ts';
import type { RequestCommand, RequestState, RequestTimelineEvent } from '../domain/request/types.ts';
import { actor } from './actor.ts';
import { describeRequest } from './details.ts';
import { lives } from './lives.ts';
import { answerPosition } from './position.ts';
import { receive } from './receive.ts';
import { plan } from './request/booking.life.ts';
import { bookingsOf, isDone } from './request/bookings.ts';
import { liveRequest } from './request/request.life.ts';
import { stagesOf } from './request/stage.ts';
import { streams } from './streams.ts';

/** A run with a longer history continues as a new one, so that a worker that does not have it in its cache reads little. Events. */
const longHistory = 1_000;

export async function requestWorkflow(input: RequestInput): Promise<{ outcome: RequestState['status'] }> {
  const { requestId, consumerId, policy, carried } = input;
  const opening = { ...input, id: 'open', do: 'open', by: { id: consumerId, role: 'consumer' } } as RequestCommand;
  const stream = requestWorkflowId(requestId);
  const { state, seq } = (carried?.streams[stream] as { state: RequestState; seq: number } | undefined) ?? { state: emptyRequest, seq: 0 };
  const run = streams(show, carried?.causes);
  const living = lives(run);
  const stages = stagesOf();
  const lost = { at: 0 };
  let known = false;

  const request = actor({
    run,
    stream,
    initial: state,
    seq,
    opening,
    decide: decideRequest,
    evolve: evolveRequest,
    onFold: ({ bookings: ids }) => ids.forEach(bookings.adopt),
  });
  const bookings = bookingsOf({
    run,
    lives: living,
    carried: carried?.streams,
    // The booking's end and what it means for the request are one transaction.
    ended: (booking) => endOf(booking).flatMap(request.would),
  });
  state.bookings.forEach(bookings.adopt);

  answerPosition(run);
  receive(request, requestVerbs, requestUpdates);
  receive(request, offerVerbs, offerUpdates, { acceptOffer: takingSlot });
  bookings.receive(() => condition(() => known));
  setHandler(offerAccepted, (fact) => request.commitFact(acceptanceOf(fact), takingSlot), {
    description: "a provider's acceptance as a plain signal",
  });

  // A message in the first task is dispatched inside `setHandler`, and has then already opened the stream.
  await request.act(opening);
  known = true;
  const ended = () => endOf(bookings.of({ bookingId: request.state.accepted?.bookingId ?? '' })?.booking.state)[0];
  living.begin(stream, () => liveRequest(request, { clock: living.clock, attention: run.attention, ended, lost }));
  try {
    for (;;) {
      await condition(() => isOverAll() || mayContinue());
      await condition(allHandlersFinished);
      if (isOverAll()) return { outcome: request.state.status };
      if (mayContinue()) await continueAsNew<typeof requestWorkflow>({ ...input, carried: handedOver() });
    }
  } catch (error) {
    // A run that is cancelled puts everything in order first. One that continues as a new run throws as well, and must not wait.
    if (isCancellation(error)) await CancellationScope.nonCancellable(living.ended);
    throw error;
  }

  /** The request is closed, the books are closed, the reviews are published. */
  function isOverAll(): boolean {
    return isClosed(request.state) && run.idle() && bookings.all.every(isDone);
  }

  /** Whether the run is long and nothing is under way: the new run then knows all its streams again, and sets its clock again. */
  function mayContinue(): boolean {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    const full = continueAsNewSuggested || historyLength >= longHistory || request.state.turns - state.turns >= policy.maxTurns;
    return full && living.atRest();
  }

  function handedOver(): NonNullable<RequestInput['carried']> {
    const all = [request, ...bookings.all.flatMap(({ booking, review }) => [booking, ...(review ? [review] : [])])];
    return {
      streams: Object.fromEntries(all.map((one) => [one.stream, { state: one.state, seq: one.seq }])),
      causes: run.attention.causes(),
    };
  }

  function show(): void {
    setCurrentDetails(describeRequest(request.state, bookings.all));
    stages.show(request.state, bookings.all);
  }

  /**
   * Accepts an offer. Reminders of a booking that this confirms are planned in the same turn. If somebody else has taken the slot, the offer
   * is given up and the search goes on.
   */
  async function takingSlot(command: Extract<RequestCommand, { do: 'acceptOffer' }>): Promise<CommandAnswer> {
    const prepared = async () => {
      const held = request
        .would(command)
        .flatMap(({ events }) => events as RequestTimelineEvent[])
        .find((event) => event.type === 'booking.held');
      if (!held || !needsReminders(held, command.reminders, Date.now())) return command;
      return { ...command, reminders: planned(held, held.policy, await plan(held, held.policy)) };
    };
    try {
      return await request.commit(prepared);
    } catch (error) {
      if (error instanceof ApplicationFailure && error.type === 'slot_taken') {
        await request.commit({ id: `${command.id}/lost`, do: 'loseOffer', by: SYSTEM, offerId: command.offerId, code: 'slot_taken' });
        lost.at = request.seq;
      }
      throw error;
    }
  }
}

/** The command that tells a request the end of its booking; none while the booking goes on. */
function endOf(state: BookingState | undefined): RequestCommand[] {
  if (!state?.booking || !state.outcome || !isOver(state)) return [];
  const { bookingId } = state.booking;
  return [{ id: `ended/${bookingId}`, do: 'endBooking', by: SYSTEM, bookingId, outcome: state.outcome }];
}

/** Makes a command from a Signal. Nobody has validated the Signal: values that do not fit lead to a refusal on the timeline. */
function acceptanceOf(fact: Partial<{ offerId: string; providerId: string; eventId: string }> | undefined) {
  const { offerId, providerId, eventId } = fact ?? {};
  const by = isUuid(providerId) ? { id: providerId, role: 'provider' as const } : SYSTEM;
  const id = isEventId(eventId) ? eventId : uuid4();
  return { id: `signal/${id}`, do: 'acceptOffer' as const, by, offerId: String(offerId), bookingId: uuid4() };
}
