// Input, Signals and Updates of a request's run. No zod here: this file is part of the workflow bundle.
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
  /** Set when a run continues as a new one. A lost or stale state costs one more append and never leads to a wrong decision. */
  carried?: { state: RequestState; seq: number };
}

/** A provider's acceptance as a plain signal (Web UI, CLI, other SDKs). `eventId` makes a repeated delivery harmless. */
export const offerAccepted = defineSignal<[{ offerId: string; providerId: string; eventId: string }]>('offerAccepted');
/** Sent by the booking's run, because a rebuilt request's run has no child result to wait for. */
export const bookingEnded = defineSignal<[{ bookingId: string; outcome: BookingOutcome }]>('bookingEnded');

/** The Updates about a request, one for each verb of `requestVerbs`. */
export const requestUpdates = updatesOf(requestVerbs);

/** The Updates about a request's offers, one for each verb of `offerVerbs`. */
export const offerUpdates = updatesOf(offerVerbs);
