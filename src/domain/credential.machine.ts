import { defineMachine } from './machine.ts';

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
