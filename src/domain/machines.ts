import { bookingMachine } from './booking.machine.ts';
import { credentialMachine } from './credential.machine.ts';
import { enrollmentMachine } from './enrollment.machine.ts';
import { offerMachine } from './offer.machine.ts';
import { providerMachine } from './provider.machine.ts';
import { requestMachine } from './request.machine.ts';
import { occurrenceMachine, seriesMachine } from './series.machine.ts';

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
