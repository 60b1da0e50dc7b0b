import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ApplicationChanges, ApplicationVerdict, CheckOutcome, EnrollmentState } from '../domain/enrollment/types.ts';
import type { Policy } from '../domain/policy.ts';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';

export const enrollmentWorkflowId = (enrollmentId: string) => `enrollment/${enrollmentId}`;

export interface EnrollmentInput {
  enrollmentId: string;
  applicantId: string;
  policy: Policy;
  /** Set when a run continues as a new one; a lost or stale state costs one append round, never correctness. */
  carried?: { state: EnrollmentState; seq: number };
}

export const updateApplication = defineUpdate<CommandAnswer, [CommandMeta & { revisionId: string; changes: ApplicationChanges }]>(
  'updateApplication',
);
export const submitApplication = defineUpdate<CommandAnswer, [CommandMeta]>('submitApplication');
export const decideApplication = defineUpdate<CommandAnswer, [CommandMeta & { verdict: ApplicationVerdict }]>('decideApplication');
export const withdrawApplication = defineUpdate<CommandAnswer, [CommandMeta]>('withdrawApplication');

/** A vendor's answer, e.g. `{ kind: 'licence', category: 'plumbing', outcome: 'passed' }`. `eventId` makes a repeated delivery harmless. */
export const verificationResult =
  defineSignal<[{ eventId: string; kind: string; category?: string; outcome: CheckOutcome }]>('verificationResult');
