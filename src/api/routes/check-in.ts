import { timingSafeEqual } from 'node:crypto';
import { BookingView, CheckIn } from '../../contracts/booking.ts';
import { bookingWorkflowId, checkIn } from '../../contracts/booking.messages.ts';
import { Reason } from '../../contracts/common.ts';
import { bookingFor } from '../../db/queries/booking.ts';
import { giveTriesBack, renewCode, takeTry } from '../../db/queries/check-in-code.ts';
import { answerOf } from '../../db/timeline.ts';
import { bookingMachine } from '../../domain/booking/machine.ts';
import { checkInOpens } from '../../domain/booking/state.ts';
import { DomainError, invalid } from '../../domain/errors.ts';
import type { Policy } from '../../domain/policy.ts';
import { asParty, bookingErrors, bookingId, sendToBooking } from './booking.command.ts';
import type { Api } from '../http/deps.ts';
import { route } from '../http/route.ts';

/** The code is compared here and goes no further: no history, event or log ever holds it. */
export function checkInRoutes(api: Api): void {
  const db = () => api.orm.em.fork();
  const common = { method: 'post', params: bookingId, response: BookingView } as const;

  route(
    api,
    {
      ...common,
      path: '/bookings/:bookingId/check-in',
      summary: 'The job begins',
      description:
        'The provider sends the code that the consumer shows. After five wrong ones the consumer has to make a new one. The consumer needs none: theirs is the word that the provider has come.',
      auth: ['consumer', 'provider'],
      body: CheckIn,
      errors: [...bookingErrors, 'too_early', 'wrong_code', 'code_locked'],
    },
    async ({ params, body: { code, ...body }, actor, commandId, signal }) => {
      const { booking, policy, by } = await asParty(api, actor, params.bookingId);
      if (by.role === 'provider') await verify(booking, policy, code, commandId);
      return sendToBooking(api, actor, booking.id, { update: checkIn, command: { id: commandId, by, ...body }, signal });
    },
  );

  route(
    api,
    {
      ...common,
      path: '/bookings/:bookingId/check-in-code',
      summary: 'Consumer: make a new code in place of the old one',
      auth: ['consumer'],
      body: Reason,
      errors: bookingErrors,
    },
    async ({ params, actor }) => {
      const { booking, by } = await asParty(api, actor, params.bookingId);
      // Whoever is to guess it must not get new tries.
      if (by.role !== 'consumer') throw new DomainError('forbidden_role');
      if (!(await renewCode(db(), booking.id))) throw notConfirmed(booking);
      return bookingFor(db(), actor, booking.id);
    },
  );

  /** @throws too_early, validation_failed, code_locked, wrong_code */
  async function verify(booking: BookingView, policy: Policy, code: string | undefined, commandId: string): Promise<void> {
    // Refusals that do not depend on the code cost no try, and say nothing about it.
    if (booking.status !== 'confirmed') {
      if (await answerOf(api.orm, bookingWorkflowId(booking.id), commandId)) return;
      throw notConfirmed(booking);
    }
    checkInOpens(booking.slot.startsAt, policy, Date.now());
    if (code === undefined) {
      throw invalid('/code', 'is required: the consumer shows it');
    }
    const { code: right, left } = await takeTry(db(), booking.id);
    if (timingSafeEqual(Buffer.from(code), Buffer.from(right))) return void (await giveTriesBack(db(), booking.id, right));
    const message = left === 1 ? '1 try is left' : `${left} tries are left`;
    throw new DomainError('wrong_code', `This code is not right; ${message}.`, { fields: [{ field: '/code', message }] });
  }
}

function notConfirmed({ status }: BookingView): DomainError {
  return new DomainError('invalid_transition', `The booking is ${status}.`, { status, allowed: bookingMachine.allowed(status) });
}
