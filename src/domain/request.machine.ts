import { defineMachine } from './machine.ts';

export const requestMachine = defineMachine(
  'request',
  ['intake', 'matching', 'offering', 'booked', 'completed', 'unfilled', 'abandoned', 'cancelled'],
  {
    submit: { from: ['intake'], to: 'matching' },
    invite: { from: ['matching', 'offering'], to: 'offering' },
    rematch: { from: ['offering'], to: 'matching' },
    book: { from: ['matching', 'offering'], to: 'booked' },
    reopen: { from: ['booked'], to: 'matching' },
    complete: { from: ['booked'], to: 'completed' },
    giveUp: { from: ['matching', 'offering'], to: 'unfilled' },
    abandon: { from: ['intake'], to: 'abandoned' },
    cancel: { from: ['intake', 'matching', 'offering', 'booked'], to: 'cancelled' },
  },
);
export type RequestStatus = (typeof requestMachine.statuses)[number];
