import { defineSignal } from '@temporalio/workflow';
import type { CheckOutcome, EnrollmentState } from '../domain/enrollment/types.ts';
import type { Policy } from '../domain/policy.ts';
import { enrollmentVerbs } from '../domain/enrollment/machine.ts';
import { updatesOf } from './update.messages.ts';

export const enrollmentWorkflowId = (enrollmentId: string) => `enrollment/${enrollmentId}`;

export interface EnrollmentInput {
  enrollmentId: string;
  applicantId: string;
  policy: Policy;
  /** Set when a run continues as a new one. A lost or stale state costs one more append and never leads to a wrong decision. */
  carried?: { state: EnrollmentState; seq: number };
}

/** A vendor's answer, e.g. `{ kind: 'licence', category: 'plumbing', outcome: 'passed' }`. `eventId` makes a repeated delivery harmless. */
export const verificationResult =
  defineSignal<[{ eventId: string; kind: string; category?: string; outcome: CheckOutcome }]>('verificationResult');

/** The Updates of an application's run, one for each verb of `enrollmentVerbs`. */
export const enrollmentUpdates = updatesOf(enrollmentVerbs);
