import { BookingView, CheckIn } from '../../contracts/booking.ts';
import { bookingWorkflowId } from '../../contracts/booking.messages.ts';
import { Reason } from '../../contracts/common.ts';
import { bookingFor, bookingWithPolicy } from '../../db/queries/booking.ts';
import { renewCode, tryCode } from '../../db/queries/check-in-code.ts';
import { answerOf } from '../../db/timeline.ts';
import type { Actor } from '../../domain/actor.ts';
import { bookingMachine } from '../../domain/booking/machine.ts';
import { checkInOpens } from '../../domain/booking/state.ts';
import { DomainError, invalid } from '../../domain/errors.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Api } from '../http/deps.ts';
import { route } from '../http/route.ts';
import { bookingId, bookingErrors, sideOf } from './booking-side.ts';

interface CheckingIn {
  body: { code?: string | undefined };
  thing: { booking: BookingView; policy: Policy };
  by: Actor;
  commandId: string;
}

/** The route of checking in. The API compares the code and does not pass it on: no history, event or log holds it. */
export const checkedIn = (api: Api) => ({
  body: CheckIn,
  async fields({ body: { code }, thing, by, commandId }: CheckingIn) {
    if (by.role === 'provider') await verify(api, thing, code, commandId);
    return {};
  },
});

export function checkInCodeRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      method: 'post',
      params: bookingId,
      response: BookingView,
      path: '/bookings/:bookingId/check-in-code',
      summary: 'Consumer: make a new code in place of the old one',
      auth: ['consumer'],
      body: Reason,
      errors: bookingErrors,
    },
    async ({ params, actor }) => {
      const found = await bookingWithPolicy(db(), actor, params.bookingId);
      const { booking } = found;
      // The provider enters the code, so only the consumer may renew it and get new tries.
      if (sideOf(actor, found).role !== 'consumer') throw new DomainError('forbidden_role');
      if (!(await renewCode(db(), booking.id))) throw notConfirmed(booking);
      return bookingFor(db(), actor, booking.id);
    },
  );
}

/**
 * Compares the code, unless the command was carried out before.
 * @throws too_early, invalid_transition, validation_failed, code_locked, wrong_code
 */
async function verify(
  api: Api,
  { booking, policy }: { booking: BookingView; policy: Policy },
  code: string | undefined,
  commandId: string,
): Promise<void> {
  // Refusals that do not depend on the code take no try and do not tell whether the code is right.
  if (booking.status !== 'confirmed') {
    if (await answerOf(api.orm, bookingWorkflowId(booking.id), commandId)) return;
    throw notConfirmed(booking);
  }
  checkInOpens(booking.slot.startsAt, policy, Date.now());
  if (code === undefined) {
    throw invalid('/code', 'is required: the consumer shows it');
  }
  const { right, left } = await tryCode(api.orm.em.fork(), booking.id, code);
  if (right) return;
  const message = left === 1 ? '1 try is left' : `${left} tries are left`;
  throw new DomainError('wrong_code', `This code is not right; ${message}.`, { fields: [{ field: '/code', message }] });
}

function notConfirmed({ status }: BookingView): DomainError {
  return new DomainError('invalid_transition', `The booking is ${status}.`, { status, allowed: bookingMachine.allowed(status) });
}
