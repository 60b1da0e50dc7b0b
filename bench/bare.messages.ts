// Messages of the bare workflows, which are the yardsticks of bench/accept.ts and bench/lifecycles.ts.
import { defineUpdate } from '@temporalio/workflow';

export const bareQueue = 'bare';

/** An Update with one no-op local activity. */
export const bareUpdate = defineUpdate<number>('bareUpdate');
/** The same, with the steps that a run takes at a booking: a timer ends, search attributes change, a child begins. */
export const bareBooking = defineUpdate<number, [{ childId: string }]>('bareBooking');
/** One message of a lifecycle; the answer is its position. */
export const bareMessage = defineUpdate<number, [{ id: string; by: { id: string; role: string }; bookingId?: string }]>('bareMessage');

export interface BareRequestInput {
  requestId: string;
  /** Number of messages until the booking: one that submits, one per proposal, one that accepts. */
  messages: number;
  deadlineMs: number;
}
export interface BareBookingInput {
  bookingId: string;
  messages: number;
  deadlineMs: number;
}
