// Workflows without a product: they show the time that Temporal itself needs for the same messages. Only bare.worker.ts bundles
// them; src/worker.ts never registers them.
import {
  CancellationScope,
  condition,
  ParentClosePolicy,
  proxyLocalActivities,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { searchAttributes } from '../src/contracts/search-attributes.ts';
import { bareBooking, bareMessage, bareUpdate, type BareBookingInput, type BareRequestInput } from './bare.messages.ts';

const { nothing } = proxyLocalActivities<{ nothing(): Promise<void> }>({ startToCloseTimeout: '10s' });

/** Answers Updates, each with one no-op local activity in its handler. */
export async function bareUpdateWorkflow(): Promise<void> {
  let count = 0;
  setHandler(bareUpdate, async () => {
    await nothing();
    return (count += 1);
  });
  let bookedAs = '';
  setHandler(bareBooking, async ({ childId }) => {
    await nothing();
    bookedAs = childId;
    return (count += 1);
  });
  const timer = new CancellationScope();
  const waiting = timer.run(() => sleep('1h')).catch(() => undefined);
  await condition(() => bookedAs !== '');
  timer.cancel();
  await waiting;
  upsertSearchAttributes([
    { key: searchAttributes.stage, value: 'booked' },
    { key: searchAttributes.deadline, value: null },
    { key: searchAttributes.service, value: 'cleaning' },
    { key: searchAttributes.region, value: 'US-TX' },
  ]);
  await startChild(bareReviewWorkflow, { workflowId: bookedAs, args: [3_600_000], parentClosePolicy: ParentClosePolicy.ABANDON });
  await condition(() => false);
}

/** Takes the messages of a request's run and does nothing else: no decision, no local activity, no search attribute. */
export async function bareRequestWorkflow({ requestId, messages, deadlineMs }: BareRequestInput): Promise<void> {
  const received = counting();
  let bookingId = '';
  setHandler(bareMessage, (message) => {
    bookingId = message.bookingId ?? bookingId;
    return received.add();
  });
  await received.until(messages, deadlineMs);
  const booking = await startChild(bareBookingWorkflow, {
    workflowId: `bare-booking/${bookingId}`,
    args: [{ bookingId, messages: 2, deadlineMs }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `Booking of ${requestId}`,
  });
  await booking.result();
}

export async function bareBookingWorkflow({ bookingId, messages, deadlineMs }: BareBookingInput): Promise<void> {
  const received = counting();
  setHandler(bareMessage, () => received.add());
  await received.until(messages, deadlineMs);
  await startChild(bareReviewWorkflow, {
    workflowId: `bare-review/${bookingId}`,
    args: [deadlineMs],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `Reviews of ${bookingId}`,
  });
}

/** Stays open, like reviews. */
export async function bareReviewWorkflow(deadlineMs: number): Promise<void> {
  await sleep(deadlineMs);
}

function counting() {
  let count = 0;
  return {
    add: () => (count += 1),
    /** Waits for the messages behind one timer. */
    async until(enough: number, deadlineMs: number): Promise<void> {
      const timer = new CancellationScope();
      const fired = timer.run(() => sleep(deadlineMs)).catch(() => undefined);
      await condition(() => count >= enough);
      timer.cancel();
      await fired;
    },
  };
}
