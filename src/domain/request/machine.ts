import { defineMachine } from '../machine.ts';

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

/** One row per request, provider and round. `accept` belongs to whoever's turn it is. */
export const offerMachine = defineMachine(
  'offer',
  ['invited', 'proposed', 'countered', 'accepted', 'declined', 'withdrawn', 'expired', 'superseded'],
  {
    propose: { from: ['invited', 'countered'], to: 'proposed' },
    counter: { from: ['proposed'], to: 'countered' },
    /** From `invited` only in instant mode; `decide` checks that. */
    accept: { from: ['invited', 'proposed', 'countered'], to: 'accepted' },
    decline: { from: ['invited', 'countered', 'proposed'], to: 'declined' },
    withdraw: { from: ['proposed'], to: 'withdrawn' },
    expire: { from: ['invited', 'proposed', 'countered'], to: 'expired' },
    supersede: { from: ['invited', 'proposed', 'countered'], to: 'superseded' },
  },
);
export type OfferStatus = (typeof offerMachine.statuses)[number];
