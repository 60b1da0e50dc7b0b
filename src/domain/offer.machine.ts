import { defineMachine } from './machine.ts';

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
