import type { EnrollmentStatus } from './machine.ts';
import type { ErrorCode } from '../errors.ts';
import type { Policy } from '../policy.ts';
import type { CommandRefused, EventBase, StreamState } from '../timeline.ts';
import type { CommandMeta } from '../command.ts';

/** The application as the workflow knows it: codes, fields and dates that the rules need. What was written stays in Postgres. */
export interface ApplicationSummary {
  services: string[];
  /** Why it cannot be submitted yet, in the order in which a person would mend it. */
  faults: ApplicationFault[];
  /** Credentials that have to be checked. */
  credentials: { check: string; validUntil: string | null }[];
}

/** An application's parts: each is written as a whole. */
export const applicationParts = [
  'displayName',
  'bio',
  'zone',
  'location',
  'radiusKm',
  'services',
  'availability',
  'credentials',
  'portfolio',
] as const;
export type ApplicationPart = (typeof applicationParts)[number];

/** What the rules know of each part that was written: codes, counts and dates. */
export interface KnownParts {
  displayName?: true;
  bio?: true;
  zone?: true;
  location?: true;
  radiusKm?: true;
  /** With what the catalogue demands for these services. */
  services?: { codes: string[]; licences: { category: string; name: string }[]; minPhotos: number };
  availability?: { openings: number };
  credentials?: { check: string; validUntil: string | null }[];
  portfolio?: { photos: number };
}

/** What a writer changes. The texts and numbers are a staged row, which the event makes effective. */
export interface ApplicationChanges {
  /** The position of the timeline that the writer had read. */
  basedOn: number;
  changed: ApplicationPart[];
  /** All parts as they are after these changes, as the writer saw them. */
  parts: KnownParts;
}

export interface ApplicationFault {
  code: Extract<ErrorCode, 'draft_incomplete' | 'portfolio_too_small'>;
  /** JSON pointer into the application. */
  field: string;
  message: string;
}

export const checkOutcomes = ['pending', 'passed', 'failed'] as const;
export type CheckOutcome = (typeof checkOutcomes)[number];

/** One check of one credential, e.g. `licence/plumbing`. */
export interface CheckResult {
  check: string;
  outcome: CheckOutcome;
}

export const applicationVerdicts = ['approve', 'reject', 'request_changes'] as const;
export type ApplicationVerdict = (typeof applicationVerdicts)[number];

export type EnrollmentCommand = CommandMeta &
  (
    | { do: 'open'; enrollmentId: string; applicantId: string; policy: Policy }
    /** Writers of the first two releases sent the summary of the whole: their recorded histories still replay. */
    | ({ do: 'updateApplication'; revisionId: string } & (
        { changes: ApplicationChanges; summary?: undefined } | { summary: ApplicationSummary; changes?: undefined }
      ))
    | { do: 'submitApplication' }
    | { do: 'beginChecks' }
    | { do: 'recordChecks'; results: CheckResult[] }
    | { do: 'escalate' }
    | { do: 'decideApplication'; verdict: ApplicationVerdict }
    | { do: 'withdrawApplication' }
    | { do: 'remind' }
    | { do: 'expire' }
  );

export type EnrollmentEvent = EventBase &
  (
    | { type: 'enrollment.opened'; enrollmentId: string; applicantId: string; policy: Policy }
    /** Timelines of the first two releases know no `parts`: every part was written. */
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
  /** The version that counts: what is checked, reviewed and made real. */
  revisionId: string | null;
  summary: ApplicationSummary;
  /** Null where only a timeline of the first two releases has told. */
  parts?: KnownParts | null;
  /** By part: the position at which it was last written. */
  changedAt?: Partial<Record<ApplicationPart, number>>;
  checks: Record<string, CheckOutcome>;
  /** When an operator is asked although checks are still missing. */
  checksBy: string | null;
  escalated: boolean;
  reminded: boolean;
  lastActivityAt: string;
}
