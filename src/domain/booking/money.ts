// The booking's money steps, derived from the folded state alone: a rebuilt run takes the same steps as the lost run.
import type { BookingState, PaymentState } from './types.ts';
import { occupyingStatuses } from './machine.ts';

/** The next call to the payment provider; amounts in minor units. `step` names the call, so that a repeated call takes effect once. */
export type MoneyStep =
  | { do: 'authorise'; step: string; attempt: number; amount: number }
  | { do: 'capture'; step: string; attempt: number; ref: string; amount: number }
  | { do: 'release'; step: string; attempt: number; ref: string | null; amount: number }
  | { do: 'refund'; step: string; attempt: number; ref: string; amount: number };

const isOpen = ({ status }: PaymentState): boolean => status === 'requested' || status === 'authorised';
const occupying: readonly string[] = occupyingStatuses;

export const openPayments = ({ payments }: BookingState): PaymentState[] => payments.filter(isOpen);
/** The authorisation that a capture would use: the newest. */
export const currentAuthorisation = ({ payments }: BookingState): PaymentState | undefined =>
  payments.findLast(({ status }) => status === 'authorised');
const requested = ({ payments }: BookingState): PaymentState | undefined => payments.findLast(({ status }) => status === 'requested');
const sum = (payments: PaymentState[], what: 'captured' | 'refunded') => payments.reduce((total, payment) => total + payment[what], 0);
/** The captured amount of all payments, in minor units. */
export const capturedBy = ({ payments }: BookingState): number => sum(payments, 'captured');
/** The refunded amount of all payments, in minor units. */
export const refundedBy = ({ payments }: BookingState): number => sum(payments, 'refunded');

/** The step that undoes the newest open payment, or null when none is open. A hold is released only after all are undone. */
export function undoStep(state: BookingState): MoneyStep | null {
  const newest = openPayments(state).at(-1);
  return newest ? releaseOf(newest) : null;
}

/** The next step of a booking's money; null when there is nothing to do now, or when an operator has to act first. */
export function nextMoneyStep(state: BookingState): MoneyStep | null {
  return state.stuck ? null : dueStep(state);
}

/** The next step of a booking's money, also while a step is stuck. */
export function dueStep(state: BookingState): MoneyStep | null {
  if (occupying.includes(state.status)) return whileRunning(state);
  const owed = state.charge - capturedBy(state);
  const current = currentAuthorisation(state);
  if (owed > 0 && current) {
    const amount = Math.min(owed, current.amount);
    return { do: 'capture', step: `capture/${current.attempt}`, attempt: current.attempt, ref: current.ref!, amount };
  }
  if (owed > 0) {
    // The authorisation was lost or is being replaced: the charge needs a new one.
    const asked = requested(state);
    if (asked) return authoriseOf(asked);
  }
  return undoStep(state) ?? refundStep(state);
}

/** Whether a charge is owed and no authorisation is left to capture it from. Only a new authorisation or an operator helps. */
export const isUncovered = (state: BookingState): boolean =>
  state.settling && state.charge > capturedBy(state) && openPayments(state).length === 0;

function whileRunning(state: BookingState): MoneyStep | null {
  const asked = requested(state);
  if (asked) return authoriseOf(asked);
  const current = currentAuthorisation(state);
  const replaced = openPayments(state).findLast((payment) => payment !== current);
  return replaced ? releaseOf(replaced) : null;
}

function refundStep(state: BookingState): MoneyStep | null {
  const due = Math.min(state.refundDue, capturedBy(state)) - refundedBy(state);
  const from = state.payments.find(({ captured, refunded }) => captured > refunded);
  if (due <= 0 || !from) return null;
  const amount = Math.min(due, from.captured - from.refunded);
  return { do: 'refund', step: `refund/${from.attempt}/${from.refunded}`, attempt: from.attempt, ref: from.ref!, amount };
}

const authoriseOf = ({ attempt, amount }: PaymentState): MoneyStep => ({
  do: 'authorise',
  step: `authorise/${attempt}`,
  attempt,
  amount,
});

const releaseOf = ({ attempt, ref, amount }: PaymentState): MoneyStep => ({
  do: 'release',
  step: `release/${attempt}`,
  attempt,
  ref,
  amount,
});

/**
 * When the booking needs a new authorisation, in milliseconds since the epoch. Null when the current one lasts until the booking completes
 * by itself, when one is being asked for, or when the consumer has to act first. The next try follows an eighth of `reauthoriseBeforeMs`
 * after a failed one.
 */
export function reauthoriseAt(state: BookingState): number | null {
  const last = state.payments.at(-1);
  if (!last || last.status === 'declined' || last.status === 'requested') return null;
  const { reauthoriseBeforeMs, autoCompleteMs } = state.policy!;
  const again = Date.parse(last.requestedAt) + reauthoriseBeforeMs / 8;
  const current = currentAuthorisation(state);
  if (!current) return again;
  const lapses = Date.parse(current.lapsesAt!);
  if (lapses > Date.parse(state.booking!.endsAt) + autoCompleteMs) return null;
  return Math.max(lapses - reauthoriseBeforeMs, again);
}

/**
 * When a confirmed booking is cancelled because its new payment was declined, in milliseconds since the epoch: when its last authorisation
 * lapses or, without one, `holdExtensionMs` after the declined payment was asked for. Null when nothing was declined.
 */
export function unpaidAt(state: BookingState): number | null {
  if (state.status !== 'confirmed' || state.payments.at(-1)?.status !== 'declined') return null;
  const lapses = currentAuthorisation(state)?.lapsesAt;
  return lapses ? Date.parse(lapses) : Date.parse(state.payments.at(-1)!.requestedAt) + state.policy!.holdExtensionMs;
}
