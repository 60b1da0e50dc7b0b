import { AnswerReschedule, BookingView, CancelBooking, CompleteBooking, Objection, ProposeReschedule } from '../../contracts/booking.ts';
import { type AboutBooking, bookingUpdates, bookingWorkflowId, runOfBooking } from '../../contracts/booking.messages.ts';
import type { Money } from '../../contracts/common.ts';
import { bookingFor, bookingWithPolicy } from '../../db/queries/booking.ts';
import { startOf } from '../../db/queries/run.ts';
import { answerOf } from '../../db/timeline.ts';
import type { Actor } from '../../domain/actor.ts';
import { bookingVerbs } from '../../domain/booking/machine.ts';
import { checkObjection, closedBooking, type Objection as ObjectionName } from '../../domain/booking/objection.ts';
import type { BookingSide } from '../../domain/booking/types.ts';
import { instantOf } from '../../domain/calendar/local-time.ts';
import { DomainError, invalid } from '../../domain/errors.ts';
import { iso } from '../../domain/time.ts';
import type { StartRun } from '../http/command.ts';
import type { ApiActor } from '../http/auth.ts';
import type { Api } from '../http/deps.ts';
import { declaredElsewhere, verbRoute, verbRoutes, type VerbNoun } from '../http/verb-route.ts';
import { bookingErrors, bookingId, sideOf, type BookingOf } from './booking-side.ts';
import { checkedIn } from './check-in.ts';

/** The parts that the routes of a booking's verbs share. */
export function bookingNoun(api: Api): VerbNoun<typeof bookingId, BookingOf, typeof BookingView, AboutBooking> {
  const read = (actor: ApiActor, params: { bookingId: string }) => bookingFor(api.orm.em.fork(), actor, params.bookingId);
  return {
    params: bookingId,
    response: BookingView,
    errors: bookingErrors,
    load: (actor, params) => bookingWithPolicy(api.orm.em.fork(), actor, params.bookingId),
    by: sideOf,
    workflowId: ({ booking }) => runOfBooking(booking),
    stream: ({ booking }) => bookingWorkflowId(booking.id),
    fields: (params) => params,
    read,
    closed: async (actor, params) => closedBooking((await read(actor, params)).status),
  };
}

/** Registers the commands of consumer and provider about a booking. */
export function bookingVerbRoutes(api: Api): void {
  const bookings = bookingNoun(api);
  const objecting = (objection: ObjectionName) => ({
    body: Objection,
    // When the run that answers for the booking has ended, an objection starts it again. An objection that was made before must not
    // start a run, nor must an objection that the row refuses.
    done: async ({ thing, commandId }: { thing: BookingOf; commandId: string }) =>
      (await answerOf(api.orm, bookingWorkflowId(thing.booking.id), commandId)) !== undefined,
    fields({ thing, by }: { thing: BookingOf; by: Actor }) {
      const { status, statusReason, closedAt } = thing.booking;
      const absent = status === 'no_show' ? (statusReason as BookingSide) : null;
      checkObjection(objection, { status, absent, endedAt: closedAt }, by.role as BookingSide, thing.policy, Date.now());
      return {};
    },
    start: ({ booking }: BookingOf) => startAgain(api, booking),
  });

  verbRoutes(api, bookings, bookingVerbs, bookingUpdates, {
    checkIn: (verb) => verbRoute(api, bookings, verb, checkedIn(api)),
    completeBooking: (verb) =>
      verbRoute(api, bookings, verb, {
        body: CompleteBooking,
        fields: ({ body: { finalPrice }, thing }) => (finalPrice ? { finalPrice: amountOf(finalPrice, thing.booking, '/finalPrice') } : {}),
      }),
    cancelBooking: (verb) =>
      verbRoute(api, bookings, verb, {
        body: CancelBooking,
        fields: ({ body: { fee }, thing }) => (fee ? { fee: amountOf(fee, thing.booking, '/fee') } : {}),
      }),
    proposeReschedule: (verb) =>
      verbRoute(api, bookings, verb, {
        body: ProposeReschedule,
        fields: ({ body: { slot, start } }) =>
          start
            ? { startsAt: iso(instantOf(start, '/start/local')), zone: start.zone }
            : { startsAt: iso(Date.parse(slot!.startsAt)), ...(slot!.zone && { zone: slot!.zone }) },
      }),
    answerReschedule: (verb) => verbRoute(api, bookings, verb, { body: AnswerReschedule, fields: ({ body: { accept } }) => ({ accept }) }),
    contestNoShow: (verb) => verbRoute(api, bookings, verb, objecting('contestNoShow')),
    disputeBooking: (verb) => verbRoute(api, bookings, verb, objecting('disputeBooking')),
    intervene: declaredElsewhere,
  });
}

/** The amount in minor units. @throws validation_failed for another currency than the booking's */
export function amountOf({ amount, currency }: Money, { price }: BookingView, field: string): number {
  if (currency === price.currency) return amount;
  throw invalid(`${field}/currency`, `must be ${price.currency}`);
}

/** Starts the run that answers for a booking again, after that run has ended. */
async function startAgain(api: Api, booking: BookingView): Promise<StartRun> {
  const start = await startOf(api.orm.em.fork(), runOfBooking(booking));
  if (!start) throw new DomainError('temporarily_unavailable', undefined, { retryAfterS: 5 });
  return { again: true, taskQueue: 'proxie', staticSummary: 'Begun again for an objection', ...start };
}
