import { defineMachine } from '../machine.ts';

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
