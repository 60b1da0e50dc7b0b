// What crosses into the bare workflows: the yardsticks of bench/accept.ts and bench/lifecycles.ts.
import { defineUpdate } from '@temporalio/workflow';

export const bareQueue = 'bare';

/** One no-op local activity. */
export const bareUpdate = defineUpdate<number>('bareUpdate');
/** The same, and what a run does when somebody is booked: a timer ends, search attributes change, a child begins. */
export const bareBooking = defineUpdate<number, [{ childId: string }]>('bareBooking');
/** One message of a lifecycle, answered with its position. */
export const bareMessage = defineUpdate<number, [{ id: string; by: { id: string; role: string }; bookingId?: string }]>('bareMessage');

export interface BareRequestInput {
  requestId: string;
  /** Messages until the booking: one that submits, one per proposal, one that accepts. */
  messages: number;
  deadlineMs: number;
}
export interface BareBookingInput {
  bookingId: string;
  messages: number;
  deadlineMs: number;
}
