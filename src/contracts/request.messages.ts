// What crosses into a request's run. No zod here: this file is part of the workflow bundle.
import { defineSignal } from '@temporalio/workflow';
import type { Policy } from '../domain/policy.ts';
import type { RequestState } from '../domain/request/types.ts';
import type { BookingOutcome } from '../domain/terms.ts';
import type { RequestMode } from '../domain/request/draft.ts';
import { requestVerbs } from '../domain/request/machine.ts';
import { updatesOf } from './update.messages.ts';
import { offerVerbs } from '../domain/request/offer.ts';

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

/** A provider's acceptance as a plain signal (Web UI, CLI, other SDKs). `eventId` makes a repeated delivery harmless. */
export const offerAccepted = defineSignal<[{ offerId: string; providerId: string; eventId: string }]>('offerAccepted');
/** From the booking's run; a rebuilt request has no child result to wait for. */
export const bookingEnded = defineSignal<[{ bookingId: string; outcome: BookingOutcome }]>('bookingEnded');

/** What somebody outside may ask of it: see `requestVerbs`. */
export const requestUpdates = updatesOf(requestVerbs);

/** What somebody outside may ask of it: see `offerVerbs`. */
export const offerUpdates = updatesOf(offerVerbs);
