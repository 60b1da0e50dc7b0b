// What crosses into a request's run. No zod here: this file is part of the workflow bundle.
import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Policy } from '../domain/policy.ts';
import type { RequestMode, RequestState } from '../domain/request/types.ts';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';
import type { BookingOutcome, Terms } from '../domain/terms.ts';
import type { DraftChanges } from '../domain/request/draft.ts';

export const requestWorkflowId = (requestId: string) => `request/${requestId}`;

export interface RequestInput {
  requestId: string;
  consumerId: string;
  mode: RequestMode;
  catalogueVersion: number;
  policy: Policy;
  /** Set when a run continues as a new one; a lost or stale state costs one append round, never correctness. */
  carried?: { state: RequestState; seq: number };
}

export const postMessage = defineUpdate<CommandAnswer, [CommandMeta & { messageId: string; turnId: string }]>('postMessage');
export const editRequest = defineUpdate<CommandAnswer, [CommandMeta & { changes: DraftChanges; mode?: RequestMode; submit?: boolean }]>(
  'editRequest',
);
export const submitRequest = defineUpdate<CommandAnswer, [CommandMeta & { draftHash: string }]>('submitRequest');
export const cancelRequest = defineUpdate<CommandAnswer, [CommandMeta]>('cancelRequest');
export const claimRequest = defineUpdate<CommandAnswer, [CommandMeta & { guestId: string }]>('claimRequest');
export const proposeOffer = defineUpdate<CommandAnswer, [CommandMeta & { offerId: string; terms?: Terms; basedOn?: number }]>(
  'proposeOffer',
);
export const counterOffer = defineUpdate<CommandAnswer, [CommandMeta & { offerId: string; terms: Terms; basedOn?: number }]>(
  'counterOffer',
);
export const acceptOffer = defineUpdate<CommandAnswer, [CommandMeta & { offerId: string; bookingId: string }]>('acceptOffer');
export const declineOffer = defineUpdate<CommandAnswer, [CommandMeta & { offerId: string }]>('declineOffer');
export const withdrawOffer = defineUpdate<CommandAnswer, [CommandMeta & { offerId: string }]>('withdrawOffer');
export const interveneRequest = defineUpdate<
  CommandAnswer,
  [CommandMeta & { action: 'rematch' | 'extend_deadline' | 'close'; ticket: string; extendByMs?: number }]
>('intervene');

/** A provider's acceptance as a plain signal (Web UI, CLI, other SDKs). `eventId` makes a repeated delivery harmless. */
export const offerAccepted = defineSignal<[{ offerId: string; providerId: string; eventId: string }]>('offerAccepted');
/** From the booking's run; a rebuilt request has no child result to wait for. */
export const bookingEnded = defineSignal<[{ bookingId: string; outcome: BookingOutcome }]>('bookingEnded');
