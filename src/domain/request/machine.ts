// Statuses, moves and verbs of a request.
import { defineMachine } from '../machine.ts';
import { carries, type KindOf, type Verbs } from '../verb.ts';
import type { DraftChanges, RequestMode } from './draft.ts';

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

export const requestInterventions = ['rematch', 'extend_deadline', 'close'] as const;

export const requestVerbs = {
  postMessage: {
    by: ['consumer', 'guest'],
    from: ['intake'],
    carries: carries<{ messageId: string; turnId: string }>(),
    says: 'a message of the person',
  },
  editRequest: {
    by: ['consumer'],
    from: ['intake'],
    carries: carries<{ mode?: RequestMode; submit?: boolean; changes?: DraftChanges }>(),
    says: 'changes the draft',
  },
  submitRequest: {
    by: ['consumer'],
    move: 'submit',
    carries: carries<{ draftHash: string }>(),
    says: 'the explicit yes to a draft',
    route: {
      path: '/requests/:requestId/submit',
      summary: 'Say yes to the draft and send it out',
      errors: ['draft_changed', 'draft_incomplete'],
    },
  },
  cancelRequest: {
    by: ['consumer', 'admin'],
    move: 'cancel',
    notifies: ['offer_superseded'],
    says: 'ends the request',
    route: { path: '/requests/:requestId/cancel', summary: 'Cancel a request that is not booked' },
  },
  claimRequest: { by: ['consumer'], from: ['intake'], carries: carries<{ guestId: string }>(), says: 'a guest has signed in' },
  intervene: {
    by: ['admin'],
    carries: carries<{ action: (typeof requestInterventions)[number]; ticket: string; extendByMs?: number }>(),
    notifies: ['offer_superseded'],
    says: 'an operator acts: reason and ticket required',
    route: { path: '/admin/requests/:requestId/intervene', summary: 'Operator: search again, give more time, close a request' },
  },
} as const satisfies Verbs;

/** Kinds of notifications about a request: those that verbs cause, and those that the run causes by itself. */
export type RequestNews =
  | KindOf<typeof requestVerbs>
  | 'intake_idle'
  | 'invitation_reminder'
  | 'offers_ready'
  | 'request_unfilled'
  | 'searching_again'
  | 'payment_failed';
