import { bookingInterventions, bookingMachine } from './machine.ts';
import { cancelled, completed, refundable, settling } from './end.ts';
import { capturedBy, dueStep, undoStep } from './money.ts';
import { both, tellBoth } from './state.ts';
import type { BookingCommand, BookingState, BookingTimelineEvent } from './types.ts';
import { DomainError } from '../errors.ts';
import { formatMoney } from '../money.ts';
import { checkIntervention } from '../intervention.ts';

/** An operator ends a booking, rules on a dispute, or resolves a stuck payment step. @throws DomainError the refusal */
export function intervene(state: BookingState, command: Extract<BookingCommand, { do: 'intervene' }>): BookingTimelineEvent[] {
  checkIntervention(command, bookingInterventions);
  const { action, ticket, reason } = command;
  const intervened: BookingTimelineEvent = { type: 'operator.intervened', action, ticket, reason };
  switch (action) {
    case 'cancel':
      bookingMachine.next(state.status, 'cancel');
      return [
        intervened,
        cancelled(state, { outcome: 'cancelled', side: 'operator', fee: 0, reason }, tellBoth(state, 'booking_cancelled')),
      ];
    case 'complete':
      bookingMachine.next(state.status, 'complete');
      return [
        intervened,
        ...completed(state, { finalPrice: state.booking!.price, automatic: true, ...tellBoth(state, 'booking_completed') }),
      ];
    case 'rule':
      return [intervened, rule(state, command.refund ?? 0)];
    case 'retry_payment':
      stuckStep(state);
      return [intervened, { type: 'payment.resumed' }];
    case 'write_off':
      return [intervened, ...writeOff(state), { type: 'payment.resumed' }];
  }
}

/** Settles a dispute. @param refund what the consumer gets back, in minor units @throws invalid_transition, price_out_of_bounds */
function rule(state: BookingState, refund: number): BookingTimelineEvent {
  bookingMachine.next(state.status, 'settle');
  const most = refundable(state);
  if (!Number.isSafeInteger(refund) || refund < 0 || refund > most) {
    const upTo = formatMoney({ amount: most, currency: state.booking!.currency });
    throw new DomainError('price_out_of_bounds', `The refund has to be between 0 and ${upTo}.`, {
      fields: [{ field: '/refund', message: `0 to ${most}` }],
    });
  }
  return { type: 'booking.settled', refund, ...settling(state), ...both(state), ...tellBoth(state, 'booking_settled') };
}

/** Writes off the stuck step, which the operator has settled by other means. */
function writeOff(state: BookingState): BookingTimelineEvent[] {
  const { step } = stuckStep(state);
  const due = state.status === 'held' ? undoStep(state) : dueStep(state);
  if (due?.do === 'release') return [{ type: 'payment.released', attempt: due.attempt, code: 'written_off', ...both(state) }];
  const amount = due?.do === 'refund' ? due.amount : state.charge - capturedBy(state);
  return [{ type: 'payment.written_off', step, amount, ...both(state) }];
}

function stuckStep({ stuck, status }: BookingState): { step: string } {
  if (!stuck) throw new DomainError('invalid_transition', 'No money step is stuck.', { status, allowed: [] });
  return stuck;
}
