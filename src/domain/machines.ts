import { bookingMachine, bookingVerbs } from './booking/machine.ts';
import { credentialMachine, enrollmentMachine, enrollmentVerbs } from './enrollment/machine.ts';
import { requestMachine, requestVerbs } from './request/machine.ts';
import { providerMachine } from './provider/machine.ts';
import { occurrenceMachine, seriesMachine, seriesVerbs } from './series/machine.ts';
import { offerMachine, offerVerbs } from './request/offer.ts';
import { reviewVerbs } from './review/machine.ts';

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

/** The verbs of every noun, with the machines that their moves belong to. */
export const verbTables = [
  { noun: 'request', verbs: requestVerbs, machines: [requestMachine] },
  { noun: 'offer', verbs: offerVerbs, machines: [offerMachine] },
  { noun: 'booking', verbs: bookingVerbs, machines: [bookingMachine] },
  { noun: 'review', verbs: reviewVerbs, machines: [] },
  { noun: 'series', verbs: seriesVerbs, machines: [seriesMachine] },
  { noun: 'enrollment', verbs: enrollmentVerbs, machines: [enrollmentMachine] },
] as const;
