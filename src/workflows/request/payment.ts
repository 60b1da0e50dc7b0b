// Takes the money steps that the booking's state asks for. Compensations and settlements cannot be cancelled. A step that gives up waits
// for an operator; meanwhile the run is marked for attention.
import { ActivityFailure, ApplicationFailure, CancellationScope, condition, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { PaymentActivities } from '../../activities/payment.ts';
import { SYSTEM } from '../../domain/actor.ts';
import { openPayments, undoStep, type MoneyStep } from '../../domain/booking/money.ts';
import type { BookingCommand, BookingState } from '../../domain/booking/types.ts';
import type { Actor } from '../actor.ts';

const proxied = {
  taskQueue: 'proxie-outbound',
  startToCloseTimeout: '1m',
  // Detects a worker that died during a step after seconds instead of the full minute.
  heartbeatTimeout: '5s',
  retry: { initialInterval: '500ms', maximumInterval: '5m' },
} as const;
const { authorisePayment, capturePayment, releasePayment, refundPayment } = proxyActivities<PaymentActivities>(proxied);

export interface Money {
  /** @returns `unavailable` when the provider could not be asked for an authorisation; whatever was authorised has then been undone */
  take(step: MoneyStep): Promise<'done' | 'unavailable'>;
  /** Undoes all open payments, newest first. */
  undo(): Promise<void>;
  /** Records that a step has given up, and calls an operator. */
  report(step: string, code: string): Promise<void>;
  /** Waits until an operator retries or writes off the stuck step. */
  unstuck(): Promise<void>;
}

/** The money steps of one booking, as its life takes them. */
export function moneyOf(booking: Actor<BookingState, BookingCommand>): Money {
  const terms = () => {
    const { bookingId, currency, consumerId } = booking.state.booking!;
    return { bookingId, currency, consumerId };
  };
  const options = (summary: string, withinMs: number) => ({ summary, scheduleToCloseTimeout: Math.max(1_000, withinMs) });
  const retryMs = () => booking.state.policy!.paymentRetryMs;

  async function authorise({ step, attempt, amount }: Extract<MoneyStep, { do: 'authorise' }>): Promise<'done' | 'unavailable'> {
    const { status, booking: held } = booking.state;
    const withinMs = status === 'held' ? Math.min(retryMs(), Date.parse(held!.heldUntil) - Date.now()) : retryMs();
    try {
      const result = await authorisePayment.executeWithOptions(options(step, withinMs), [{ ...terms(), attempt, amount }]);
      await booking.act(
        result.is === 'authorised'
          ? { id: step, do: 'recordAuthorisation', by: SYSTEM, attempt, ref: result.ref, lapsesAt: result.lapsesAt }
          : { id: step, do: 'recordDecline', by: SYSTEM, attempt, code: result.code },
      );
      return 'done';
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      // The payment may or may not have been authorised. The release undoes it in either case.
      const asked = openPayments(booking.state).find((payment) => payment.attempt === attempt);
      if (asked) await insist({ do: 'release', step: `release/${attempt}`, attempt, ref: asked.ref, amount });
      return 'unavailable';
    }
  }

  /** Takes a step that cannot be cancelled, so that money that must be moved is moved, and money that was moved is recorded. */
  const insist = (step: Exclude<MoneyStep, { do: 'authorise' }>) =>
    CancellationScope.nonCancellable(async () => {
      try {
        await perform(step);
      } catch (error) {
        if (!(error instanceof ActivityFailure)) throw error;
        const code = error.cause instanceof ApplicationFailure ? (error.cause.type ?? 'unavailable') : 'unavailable';
        if (code === 'payment_lapsed' && step.do === 'capture') {
          await booking.act({ id: `lapsed/${step.attempt}`, do: 'recordRelease', by: SYSTEM, attempt: step.attempt, code: 'lapsed' });
          return;
        }
        await report(step.step, code);
      }
    });

  async function perform(step: Exclude<MoneyStep, { do: 'authorise' }>): Promise<void> {
    const { do: what, step: id, attempt, amount, ref } = step;
    const input = { ...terms(), attempt, amount };
    switch (what) {
      case 'capture':
        await capturePayment.executeWithOptions(options(id, retryMs()), [{ ...input, ref }]);
        return void (await booking.act({ id, do: 'recordCapture', by: SYSTEM, attempt, amount }));
      case 'release':
        await releasePayment.executeWithOptions(options(id, retryMs()), [{ ...input, ref }]);
        return void (await booking.act({ id, do: 'recordRelease', by: SYSTEM, attempt, code: 'undone' }));
      case 'refund':
        await refundPayment.executeWithOptions(options(id, retryMs()), [{ ...input, ref, step: id }]);
        return void (await booking.act({ id, do: 'recordRefund', by: SYSTEM, attempt, amount }));
    }
  }

  async function report(step: string, code: string): Promise<void> {
    await booking.act({ id: `stuck/${booking.seq}`, do: 'reportStuck', by: SYSTEM, step, code });
  }

  const unstuck = () => condition(() => booking.state.stuck === null);

  return {
    async take(step) {
      if (step.do === 'authorise') return authorise(step);
      await insist(step);
      return 'done';
    },
    async undo() {
      for (let step = undoStep(booking.state); step; step = undoStep(booking.state)) {
        if (booking.state.stuck) await unstuck();
        else await this.take(step);
      }
    },
    report,
    unstuck,
  };
}
