import type { EnrollmentNews, EnrollmentStatus, enrollmentVerbs } from './machine.ts';
import type { Policy } from '../policy.ts';
import type { CommandRefused, EventBase, StreamState } from '../timeline.ts';
import type { CommandMeta } from '../command.ts';
import type { CommandOf } from '../verb.ts';
import type { ApplicationPart, ApplicationSummary, KnownParts } from './application-parts.ts';

export const checkOutcomes = ['pending', 'passed', 'failed'] as const;
export type CheckOutcome = (typeof checkOutcomes)[number];

/** One check of one credential, e.g. `licence/plumbing`. */
export interface CheckResult {
  check: string;
  outcome: CheckOutcome;
}

/** Commands that the run gives to itself, or makes from Signals. */
type EnrollmentStep = CommandMeta &
  (
    | { do: 'open'; enrollmentId: string; applicantId: string; policy: Policy }
    | { do: 'beginChecks' }
    | { do: 'recordChecks'; results: CheckResult[] }
    | { do: 'escalate' }
    | { do: 'remind' }
    | { do: 'expire' }
  );

export type EnrollmentCommand = CommandOf<typeof enrollmentVerbs> | EnrollmentStep;

export type EnrollmentEvent = EventBase<EnrollmentNews> &
  (
    | { type: 'enrollment.opened'; enrollmentId: string; applicantId: string; policy: Policy }
    /** Timelines of the first two releases have no `parts` and no `changed`: every part was written. */
    | { type: 'enrollment.updated'; revisionId: string; summary: ApplicationSummary; parts?: KnownParts; changed?: ApplicationPart[] }
    | { type: 'enrollment.submitted'; revisionId: string }
    | { type: 'enrollment.checking'; checks: string[]; checksBy: string }
    | { type: 'enrollment.checked'; results: CheckResult[] }
    | { type: 'enrollment.escalated'; waitingFor: string[] }
    | { type: 'enrollment.in_review' }
    | { type: 'enrollment.changes_requested' }
    | { type: 'enrollment.approved'; revisionId: string; applicantId: string }
    | { type: 'enrollment.rejected' | 'enrollment.withdrawn' | 'enrollment.expired' | 'enrollment.reminded' }
  );

export type EnrollmentTimelineEvent = EnrollmentEvent | CommandRefused;

export interface EnrollmentState extends StreamState {
  status: EnrollmentStatus;
  opened: boolean;
  enrollmentId: string;
  applicantId: string;
  policy: Policy | null;
  /** The current revision: the one that is checked, reviewed and made a provider. */
  revisionId: string | null;
  summary: ApplicationSummary;
  /** Null when the last update was written by one of the first two releases. */
  parts: KnownParts | null;
  /** By part: the position of its last write. */
  changedAt: Partial<Record<ApplicationPart, number>>;
  checks: Record<string, CheckOutcome>;
  /** When an operator has to decide although results are missing, RFC 3339. */
  checksBy: string | null;
  escalated: boolean;
  reminded: boolean;
  lastActivityAt: string;
}
