import { bookingMachine } from './booking/machine.ts';
import { credentialMachine, enrollmentMachine } from './enrollment/machine.ts';
import { requestMachine } from './request/machine.ts';
import { providerMachine } from './provider/machine.ts';
import { occurrenceMachine, seriesMachine } from './series/machine.ts';
import { offerMachine } from './request/offer.ts';

/** The machines of the design, for diagrams and property tests. */
export const machines = [
  requestMachine,
  offerMachine,
  bookingMachine,
  seriesMachine,
  occurrenceMachine,
  enrollmentMachine,
  credentialMachine,
  providerMachine,
] as const;
