import { enrollmentMachine } from './machine.ts';
import type { CheckOutcome, CheckResult, EnrollmentState, EnrollmentTimelineEvent } from './types.ts';
import { remember, type Recorded } from '../timeline.ts';
import { applicationParts } from './application-parts.ts';

export const emptyEnrollment: EnrollmentState = {
  status: 'draft',
  opened: false,
  applied: [],
  enrollmentId: '',
  applicantId: '',
  policy: null,
  revisionId: null,
  summary: { services: [], faults: [], credentials: [] },
  parts: {},
  changedAt: {},
  checks: {},
  checksBy: null,
  escalated: false,
  reminded: false,
  lastActivityAt: '',
};

export const enrollmentIsOver = ({ status }: EnrollmentState): boolean => enrollmentMachine.terminal.includes(status);
/** Whether the applicant has to act. Until then nothing is checked. */
export const isWithApplicant = ({ status }: EnrollmentState): boolean => status === 'draft' || status === 'changes_requested';
export const checksThatAre = ({ checks }: Pick<EnrollmentState, 'checks'>, ...outcomes: CheckOutcome[]): string[] =>
  Object.keys(checks).filter((check) => outcomes.includes(checks[check]!));

/** Folds one written event into the state. */
export function evolveEnrollment(before: EnrollmentState, event: Recorded<EnrollmentTimelineEvent>): EnrollmentState {
  const state = { ...before, applied: remember(before.applied, event.commandId) };
  switch (event.type) {
    case 'enrollment.opened': {
      const { enrollmentId, applicantId, policy, at } = event;
      return { ...state, opened: true, enrollmentId, applicantId, policy, lastActivityAt: at };
    }
    case 'enrollment.updated':
      return { ...updated(state, event), reminded: false, lastActivityAt: event.at };
    case 'enrollment.submitted':
      return { ...state, status: enrollmentMachine.next(state.status, 'submit') };
    case 'enrollment.checking': {
      const checks = Object.fromEntries(event.checks.map((check) => [check, 'pending' as const]));
      return { ...state, status: enrollmentMachine.next(state.status, 'check'), checks, checksBy: event.checksBy, escalated: false };
    }
    case 'enrollment.checked':
      return { ...state, checks: mergedChecks(state.checks, event.results) };
    case 'enrollment.escalated':
      return { ...state, escalated: true };
    case 'enrollment.in_review':
      return { ...state, status: enrollmentMachine.next(state.status, 'review'), checksBy: null };
    case 'enrollment.changes_requested':
      return {
        ...state,
        status: enrollmentMachine.next(state.status, 'requestChanges'),
        checksBy: null,
        reminded: false,
        lastActivityAt: event.at,
      };
    case 'enrollment.approved':
      return { ...state, status: enrollmentMachine.next(state.status, 'approve') };
    case 'enrollment.rejected':
      return { ...state, status: enrollmentMachine.next(state.status, 'reject') };
    case 'enrollment.withdrawn':
      return { ...state, status: enrollmentMachine.next(state.status, 'withdraw') };
    case 'enrollment.expired':
      return { ...state, status: enrollmentMachine.next(state.status, 'expire') };
    case 'enrollment.reminded':
      return { ...state, reminded: true };
    case 'command.refused':
      return state;
  }
}

/** The checks with new results. The newest result of a check counts. */
export const mergedChecks = (checks: EnrollmentState['checks'], results: CheckResult[]): EnrollmentState['checks'] => ({
  ...checks,
  ...Object.fromEntries(results.map(({ check, outcome }) => [check, outcome])),
});

function updated(
  state: EnrollmentState,
  event: Extract<Recorded<EnrollmentTimelineEvent>, { type: 'enrollment.updated' }>,
): EnrollmentState {
  const { revisionId, summary, parts = null, changed = applicationParts, seq } = event;
  const changedAt = { ...state.changedAt, ...Object.fromEntries(changed.map((part) => [part, seq])) };
  return { ...state, revisionId, summary, parts, changedAt };
}
