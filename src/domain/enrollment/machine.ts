// Statuses and moves of an application and a credential, and the verbs of an application.
import { defineMachine } from '../machine.ts';
import { carries, type KindOf, type Verbs } from '../verb.ts';
import type { ApplicationChanges } from './application-parts.ts';

export const enrollmentMachine = defineMachine(
  'enrollment',
  ['draft', 'submitted', 'checking', 'in_review', 'changes_requested', 'approved', 'rejected', 'withdrawn', 'expired'],
  {
    submit: { from: ['draft', 'changes_requested'], to: 'submitted' },
    check: { from: ['submitted'], to: 'checking' },
    review: { from: ['checking'], to: 'in_review' },
    approve: { from: ['in_review'], to: 'approved' },
    reject: { from: ['in_review'], to: 'rejected' },
    requestChanges: { from: ['in_review', 'checking'], to: 'changes_requested' },
    withdraw: { from: ['draft', 'changes_requested'], to: 'withdrawn' },
    expire: { from: ['draft', 'changes_requested'], to: 'expired' },
  },
);
export type EnrollmentStatus = (typeof enrollmentMachine.statuses)[number];

export const credentialMachine = defineMachine('credential', ['pending', 'verified', 'expiring', 'lapsed', 'revoked', 'refused'], {
  verify: { from: ['pending'], to: 'verified' },
  refuse: { from: ['pending'], to: 'refused' },
  nearExpiry: { from: ['verified'], to: 'expiring' },
  lapse: { from: ['expiring'], to: 'lapsed' },
  renew: { from: ['lapsed', 'expiring'], to: 'verified' },
  revoke: { from: ['verified', 'expiring'], to: 'revoked' },
});
export const credentialKinds = ['licence', 'insurance', 'identity', 'background_check'] as const;
export type CredentialKind = (typeof credentialKinds)[number];

export const applicationVerdicts = ['approve', 'reject', 'request_changes'] as const;
export type ApplicationVerdict = (typeof applicationVerdicts)[number];

const applicants = ['consumer', 'provider'] as const;

export const enrollmentVerbs = {
  updateApplication: {
    by: applicants,
    from: ['draft', 'changes_requested'],
    carries: carries<{ revisionId: string; changes: ApplicationChanges }>(),
    says: 'the applicant writes',
  },
  submitApplication: {
    by: applicants,
    move: 'submit',
    says: 'the applicant hands it in',
    route: {
      path: '/enrollments/:enrollmentId/submit',
      summary: 'Hand it in: it is checked, then an operator decides',
      errors: ['draft_incomplete', 'portfolio_too_small', 'credential_lapsed'],
    },
  },
  decideApplication: {
    by: ['admin'],
    carries: carries<{ verdict: ApplicationVerdict }>(),
    notifies: ['enrollment_approved', 'enrollment_rejected', 'enrollment_changes_requested'],
    says: 'an operator decides',
    route: {
      path: '/enrollments/:enrollmentId/decide',
      summary: 'Operator: approve, reject, or ask for changes',
      description: 'Everything but the approval of an application whose checks have all passed needs a reason, which the applicant reads.',
      errors: ['credential_lapsed'],
    },
  },
  withdrawApplication: {
    by: applicants,
    move: 'withdraw',
    says: 'the applicant takes it back',
    route: { path: '/enrollments/:enrollmentId/withdraw', summary: 'Take it back' },
  },
} as const satisfies Verbs;

/** Kinds of notifications about an application: those that verbs cause, and those that the run's clock causes. */
export type EnrollmentNews = KindOf<typeof enrollmentVerbs> | 'enrollment_idle' | 'enrollment_expired';
