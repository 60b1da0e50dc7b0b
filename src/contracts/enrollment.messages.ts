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
  /** Set when a run continues as a new one; a lost or stale state costs one append round, never correctness. */
  carried?: { state: EnrollmentState; seq: number };
}

/** A vendor's answer, e.g. `{ kind: 'licence', category: 'plumbing', outcome: 'passed' }`. `eventId` makes a repeated delivery harmless. */
export const verificationResult =
  defineSignal<[{ eventId: string; kind: string; category?: string; outcome: CheckOutcome }]>('verificationResult');

/** What somebody outside may ask of it: see `enrollmentVerbs`. */
export const enrollmentUpdates = updatesOf(enrollmentVerbs);
