import type { UpdateDefinition } from '@temporalio/common';
import { z } from 'zod';
import { AnswerReschedule, BookingView, CancelBooking, CompleteBooking, Objection, ProposeReschedule } from '../../contracts/booking.ts';
import {
  answerReschedule,
  bookingWorkflowId,
  cancelBooking,
  completeBooking,
  contestNoShow,
  disputeBooking,
  payBooking,
  proposeReschedule,
  reportNoShow,
  type BookingInput,
} from '../../contracts/booking.messages.ts';
import { Reason, type Money } from '../../contracts/common.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import { bookingFor, bookingWithPolicy } from '../../db/queries/booking.ts';
import { answerOf } from '../../db/timeline.ts';
import type { Actor } from '../../domain/actor.ts';
import type { BookingStatus } from '../../domain/booking/machine.ts';
import { checkObjection } from '../../domain/booking/objection.ts';
import type { BookingSide } from '../../domain/booking/types.ts';
import { DomainError, type ErrorCode, invalid } from '../../domain/errors.ts';
import { instantOf } from '../../domain/calendar/local-time.ts';
import type { Policy } from '../../domain/policy.ts';
import { asSide, type ApiActor } from '../http/auth.ts';
import type { StartRun } from '../http/command.ts';
import type { Api } from '../http/deps.ts';
import { route } from '../http/route.ts';
import type { CommandAnswer, CommandMeta } from '../../domain/command.ts';
import { actorOf } from '../../domain/actor.ts';

export const bookingId = z.strictObject({ bookingId: z.uuid() });
export const bookingErrors = [
  'not_found',
  'not_owner',
  'forbidden_role',
  'invalid_transition',
  'temporarily_unavailable',
] as const satisfies ErrorCode[];
const sides = ['consumer', 'provider'] as const;

/** What the two sides do with a booking; the check-in has a file of its own. */
export function bookingCommandRoutes(api: Api): void {
  const common = { method: 'post', params: bookingId, response: BookingView } as const;

  for (const { path, auth, update, summary, more } of [
    {
      path: '/bookings/:bookingId/no-show',
      auth: sides,
      update: reportNoShow,
      summary: 'The other side did not come',
      more: ['too_early'],
    },
    {
      path: '/bookings/:bookingId/pay',
      auth: ['consumer'],
      update: payBooking,
      summary: 'Consumer: try the payment again, after a decline',
      more: ['too_late'],
    },
  ] as const) {
    route(
      api,
      { ...common, path, summary, auth, body: Reason, errors: [...bookingErrors, ...more] },
      async ({ params, body, actor, commandId, signal }) => {
        const { by } = await asParty(api, actor, params.bookingId);
        return sendToBooking(api, actor, params.bookingId, { update, command: { id: commandId, by, ...body }, signal });
      },
    );
  }

  route(
    api,
    {
      ...common,
      path: '/bookings/:bookingId/reschedule',
      summary: 'Propose another slot; the agreed one stays until the other side has said yes',
      description: 'The slot keeps its length. Each side may propose as often as the policy says.',
      auth: sides,
      body: ProposeReschedule,
      errors: [
        ...bookingErrors,
        'reschedule_pending',
        'reschedule_limit',
        'too_late',
        'slot_taken',
        'outside_slot_rules',
        'local_time_gap',
      ],
    },
    async ({ params, body: { slot, start, reason }, actor, commandId, signal }) => {
      const { by } = await asParty(api, actor, params.bookingId);
      const wanted = start
        ? { startsAt: new Date(instantOf(start, '/start/local')).toISOString(), zone: start.zone }
        : { startsAt: new Date(slot!.startsAt).toISOString(), ...(slot!.zone && { zone: slot!.zone }) };
      return sendToBooking(api, actor, params.bookingId, {
        update: proposeReschedule,
        command: { id: commandId, by, ...wanted, ...(reason && { reason }) },
        signal,
      });
    },
  );

  route(
    api,
    {
      ...common,
      path: '/bookings/:bookingId/reschedule/answer',
      summary: 'Say yes or no to the proposed slot; whoever proposed it takes it back with a no',
      description: 'With the yes both slots are swapped in one transaction: when the new one has gone meanwhile, the agreed one stays.',
      auth: sides,
      body: AnswerReschedule,
      errors: [...bookingErrors, 'not_your_turn', 'too_late', 'slot_taken', 'outside_slot_rules'],
    },
    async ({ params, body, actor, commandId, signal }) => {
      const { by } = await asParty(api, actor, params.bookingId);
      return sendToBooking(api, actor, params.bookingId, { update: answerReschedule, command: { id: commandId, by, ...body }, signal });
    },
  );

  route(
    api,
    {
      ...common,
      path: '/bookings/:bookingId/cancel',
      summary: 'Cancel, by either side; when the provider does, the search goes on',
      description:
        'What it costs the consumer stands in `GET /bookings/{bookingId}/cancel/preview`; with its `fee` in the body, a cancellation that has become dearer is refused.',
      auth: sides,
      body: CancelBooking,
      errors: [...bookingErrors, 'fee_changed'],
    },
    async ({ params, body: { fee, ...body }, actor, commandId, signal }) => {
      const { by, booking } = await asParty(api, actor, params.bookingId);
      const agreed = fee && { fee: amountOf(fee, booking, '/fee') };
      return sendToBooking(api, actor, params.bookingId, {
        update: cancelBooking,
        command: { id: commandId, by, ...body, ...agreed },
        signal,
      });
    },
  );

  route(
    api,
    {
      ...common,
      path: '/bookings/:bookingId/complete',
      summary: 'Provider: the job is done',
      description: 'The final price is the agreed one, or another one within the bounds that were agreed on.',
      auth: ['provider'],
      body: CompleteBooking,
      errors: [...bookingErrors, 'price_out_of_bounds'],
    },
    async ({ params, body, actor, commandId, signal }) => {
      const { booking, by } = await asParty(api, actor, params.bookingId);
      const finalPrice = body.finalPrice && amountOf(body.finalPrice, booking, '/finalPrice');
      return sendToBooking(api, actor, params.bookingId, {
        update: completeBooking,
        command: { id: commandId, by, finalPrice },
        signal,
      });
    },
  );

  for (const { verb, objection, update, summary } of [
    { verb: 'contest', objection: 'contestNoShow', update: contestNoShow, summary: 'You are said not to have come, and you were there' },
    { verb: 'dispute', objection: 'disputeBooking', update: disputeBooking, summary: 'Object to how it went; an operator rules' },
  ] as const) {
    route(
      api,
      {
        ...common,
        path: `/bookings/:bookingId/${verb}`,
        summary,
        description: `Possible until \`${verb}Until\`.`,
        auth: sides,
        body: Objection,
        errors: [...bookingErrors, 'too_late'],
      },
      async ({ params, body, actor, commandId, signal }) => {
        const { booking, policy, by } = await asParty(api, actor, params.bookingId);
        // Its run has ended and is started again: not for what the row refuses already, nor for what was done before.
        if (await answerOf(api.orm, bookingWorkflowId(booking.id), commandId)) return booking;
        const { status, statusReason, closedAt } = booking;
        const absent = status === 'no_show' ? (statusReason as BookingSide) : null;
        checkObjection(objection, { status, absent, endedAt: closedAt }, by.role, policy, Date.now());
        return sendToBooking(api, actor, booking.id, {
          update,
          command: { id: commandId, by, ...body },
          start: startAgain(booking),
          signal,
        });
      },
    );
  }
}

/** The booking, and the actor as the side they are on. @throws not_found, not_owner, forbidden_role */
export async function asParty(
  api: Api,
  actor: ApiActor,
  id: string,
): Promise<{ booking: BookingView; policy: Policy; by: Actor & { role: BookingSide } }> {
  const found = await bookingWithPolicy(api.orm.em.fork(), actor, id);
  const { consumer, provider } = found.booking;
  return { ...found, by: actorOf(asSide(actor, { consumerId: consumer.id, providerId: provider.id })) as Actor & { role: BookingSide } };
}

/** One command, and the booking as it stands afterwards. */
export async function sendToBooking<C extends CommandMeta>(
  api: Api,
  actor: ApiActor,
  id: string,
  command: { update: UpdateDefinition<CommandAnswer, [C], string>; command: C; signal: AbortSignal; start?: StartRun },
): Promise<BookingView> {
  const read = () => bookingFor(api.orm.em.fork(), actor, id);
  await api.commands.send({ workflowId: bookingWorkflowId(id), closed: async () => isOver(await read()), ...command });
  return read();
}

function isOver({ status }: BookingView): DomainError {
  const objections: Partial<Record<BookingStatus, string>> = { completed: 'disputeBooking', no_show: 'contestNoShow' };
  const allowed = [objections[status]].filter((objection) => objection !== undefined);
  return new DomainError('invalid_transition', `The booking is ${status}.`, { status, allowed });
}

/** @throws validation_failed for another currency than the booking's */
export function amountOf({ amount, currency }: Money, { price }: BookingView, field: string): number {
  if (currency === price.currency) return amount;
  throw invalid(`${field}/currency`, `must be ${price.currency}`);
}

/** The run of a booking that had ended. */
const startAgain = ({ id, service, consumer, provider }: BookingView): StartRun => ({
  again: true,
  workflowType: 'bookingWorkflow',
  taskQueue: 'proxie',
  args: [{ bookingId: id } satisfies BookingInput],
  staticSummary: `Booking of ${service}`,
  searchAttributes: [
    { key: searchAttributes.consumer, value: consumer.id },
    { key: searchAttributes.provider, value: provider.id },
    { key: searchAttributes.service, value: service },
    { key: searchAttributes.stage, value: 'disputed' },
  ],
});
