import { defineMachine } from '../machine.ts';

export const providerMachine = defineMachine('provider', ['active', 'paused', 'suspended', 'closed'], {
  pause: { from: ['active'], to: 'paused' },
  resume: { from: ['paused'], to: 'active' },
  suspend: { from: ['active', 'paused'], to: 'suspended' },
  reinstate: { from: ['suspended'], to: 'active' },
  close: { from: ['active', 'paused', 'suspended'], to: 'closed' },
});
export type ProviderStatus = (typeof providerMachine.statuses)[number];
