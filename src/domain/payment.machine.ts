import { defineMachine } from './machine.ts';

/** One authorisation of a booking's price; a booking has several when one is declined or replaced before it lapses. */
export const paymentMachine = defineMachine('payment', ['requested', 'authorised', 'declined', 'captured', 'released'], {
  authorise: { from: ['requested'], to: 'authorised' },
  decline: { from: ['requested'], to: 'declined' },
  capture: { from: ['authorised'], to: 'captured' },
  release: { from: ['requested', 'authorised'], to: 'released' },
});
export type PaymentStatus = (typeof paymentMachine.statuses)[number];
