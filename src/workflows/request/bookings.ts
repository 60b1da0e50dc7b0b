// The bookings of a run and their reviews: their actors, their lives and their messages.
import { log, setHandler, uuid4, type ApplicationFailure } from '@temporalio/workflow';
import { type AboutBooking, bookingUpdates, bookingWorkflowId, paymentEvent } from '../../contracts/booking.messages.ts';
import { toFailure } from '../../contracts/failures.ts';
import { optOut, reviewUpdates, reviewWorkflowId } from '../../contracts/review.messages.ts';
import { SYSTEM } from '../../domain/actor.ts';
import { decideBooking } from '../../domain/booking/decide.ts';
import { emptyBooking, evolveBooking } from '../../domain/booking/evolve.ts';
import { bookingVerbs } from '../../domain/booking/machine.ts';
import { isOver } from '../../domain/booking/state.ts';
import type { BookingCommand, BookingState } from '../../domain/booking/types.ts';
import { DomainError } from '../../domain/errors.ts';
import { isEventId } from '../../domain/ids.ts';
import { decideReview } from '../../domain/review/decide.ts';
import { emptyReview, evolveReview } from '../../domain/review/evolve.ts';
import { reviewVerbs } from '../../domain/review/machine.ts';
import type { ReviewCommand, ReviewState } from '../../domain/review/types.ts';
import type { StreamPart, StreamState } from '../../domain/timeline.ts';
import { actor, type Actor } from '../actor.ts';
import type { Lives } from '../lives.ts';
import { receive } from '../receive.ts';
import type { Streams } from '../streams.ts';
import { heard, liveBooking, swappingSlot } from './booking.life.ts';
import { liveReviews } from './review.life.ts';

/** The states of streams that a run hands over when it continues as a new one, by stream. */
export type Carried = Record<string, { state: StreamState; seq: number }>;

export interface HostedBooking {
  booking: Actor<BookingState, BookingCommand>;
  /** From the completion on. */
  review?: Actor<ReviewState, ReviewCommand>;
}

interface Around {
  run: Streams;
  lives: Lives;
  carried?: Carried | undefined;
  /** What the request writes in the transaction in which its booking ends. */
  ended?: (booking: BookingState) => StreamPart[];
}

export interface Bookings {
  /** Oldest first. */
  readonly all: readonly HostedBooking[];
  /** Makes the run host a booking. Doing it again changes nothing. */
  adopt(bookingId: string): void;
  of(about: AboutBooking): HostedBooking | undefined;
  /** Sets the handlers of all messages about bookings and reviews. @param ready resolves when the run knows its bookings */
  receive(ready: () => Promise<unknown>): void;
}

export function bookingsOf({ run, lives, carried = {}, ended = () => [] }: Around): Bookings {
  const hosted = new Map<string, HostedBooking>();
  const from = <S extends StreamState>(stream: string, empty: S) =>
    (carried[stream] as { state: S; seq: number } | undefined) ?? { state: empty, seq: 0 };
  /** Begins a life when its stream has been read. */
  const begin = (stream: string, opened: () => boolean, life: () => Promise<void>) =>
    lives.begin(stream, async () => {
      await lives.clock.rest(opened);
      await life();
    });

  function adopt(bookingId: string): void {
    if (hosted.has(bookingId)) return;
    const stream = bookingWorkflowId(bookingId);
    const { state, seq } = from(stream, emptyBooking);
    const one: HostedBooking = {
      booking: actor({
        run,
        stream,
        initial: state,
        seq,
        decide: decideBooking,
        evolve: evolveBooking,
        also: ended,
        onFold: (now) => {
          run.attention.flag(`${stream} money`, now.stuck !== null);
          run.attention.flag(`${stream} dispute`, now.status === 'disputed');
          // The completion opens the reviews.
          if (now.finalPrice !== null) one.review ??= reviewsOf(bookingId);
        },
      }),
    };
    hosted.set(bookingId, one);
    if (state.finalPrice !== null) one.review = reviewsOf(bookingId);
    begin(
      stream,
      () => one.booking.seq > 0,
      () => liveBooking(one.booking, lives.clock),
    );
  }

  function reviewsOf(bookingId: string): Actor<ReviewState, ReviewCommand> {
    const stream = reviewWorkflowId(bookingId);
    const { state, seq } = from(stream, emptyReview);
    const review = actor({ run, stream, initial: state, seq, decide: decideReview, evolve: evolveReview });
    begin(
      stream,
      () => review.seq > 0,
      () => liveReviews(review, lives.clock),
    );
    return review;
  }

  const of = ({ bookingId }: AboutBooking): HostedBooking | undefined =>
    bookingId === undefined ? [...hosted.values()].at(-1) : hosted.get(bookingId);

  /** The refusal of a message about a booking that this run does not host, or about reviews that are not open. */
  function missing(about: AboutBooking): ApplicationFailure {
    const status = of(about)?.booking.state.status;
    return toFailure(
      status
        ? new DomainError('invalid_transition', `The booking is ${status}.`, { status, allowed: [] })
        : new DomainError('not_found', 'This run has no such booking.'),
    );
  }

  function receiveAll(ready: () => Promise<unknown>): void {
    const ofBooking = (about: AboutBooking) => of(about)?.booking;
    const ofReview = (about: AboutBooking) => of(about)?.review;
    async function found<A>(find: (about: AboutBooking) => A | undefined, about: AboutBooking): Promise<A> {
      await ready();
      // A run that is behind its timeline does not know its newest booking: the worker that wrote it died.
      if (!find(about)) await run.learn();
      const target = find(about);
      if (!target) throw missing(about);
      return target;
    }
    const to = <S extends StreamState, C>(find: (about: AboutBooking) => Actor<S, C> | undefined) => ({
      refuse: (command: C) => find(command as AboutBooking)?.refuse(command),
      commit: async (command: C) => (await found(find, command as AboutBooking)).commit(command),
    });
    const swap = async (command: Extract<BookingCommand, { do: 'answerReschedule' }>) =>
      swappingSlot(await found(ofBooking, command as AboutBooking), command);
    receive(to(ofBooking), bookingVerbs, bookingUpdates, { answerReschedule: swap });
    receive(to(ofReview), reviewVerbs, reviewUpdates);

    // A failing Signal handler would fail the run.
    const unheard = (error: unknown) => log.warn('a fact is about no booking of this run', { error });
    const hear = <S extends StreamState, C>(find: (about: AboutBooking) => Actor<S, C> | undefined, command: C, about: AboutBooking = {}) =>
      found(find, about).then((target) => target.commitFact(command), unheard);
    setHandler(paymentEvent, (fact) => hear(ofBooking, heard(fact), fact), { description: 'what the payment provider tells by webhook' });
    setHandler(optOut, (fact) => hear(ofReview, refusalToWrite(fact), fact), { description: 'one side does not want to review' });
  }

  return {
    get all() {
      return [...hosted.values()];
    },
    adopt,
    of,
    receive: receiveAll,
  };
}

/** Whether nothing is left to do for a booking and its reviews. */
export const isDone = ({ booking: { state }, review }: HostedBooking): boolean =>
  isOver(state) && !state.settling && (!review || review.state.status === 'closed');

/** Makes a command from a Signal. Nobody has validated the Signal: values that do not fit lead to a refusal on the timeline. */
function refusalToWrite(fact: Partial<{ userId: string; eventId: string }> | undefined) {
  const { userId, eventId } = fact ?? {};
  const id = isEventId(eventId) ? eventId : uuid4();
  return { id: `opt-out/${id}`, do: 'optOut' as const, by: SYSTEM, userId: String(userId) };
}
