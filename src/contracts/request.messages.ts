// Input, Signals and Updates of a request's run. No zod here: this file is part of the workflow bundle.
import { defineSignal } from '@temporalio/workflow';
import type { Policy } from '../domain/policy.ts';
import type { StreamState } from '../domain/timeline.ts';
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
  /**
   * Set when a run continues as a new one: the states of all its streams, and why it is on the operators' list. A lost or stale state costs
   * one more append and never leads to a wrong decision.
   */
  carried?: { streams: Record<string, { state: StreamState; seq: number }>; causes: string[] };
}

/** A provider's acceptance as a plain signal (Web UI, CLI, other SDKs). `eventId` makes a repeated delivery harmless. */
export const offerAccepted = defineSignal<[{ offerId: string; providerId: string; eventId: string }]>('offerAccepted');

/** The Updates about a request, one for each verb of `requestVerbs`. */
export const requestUpdates = updatesOf(requestVerbs);

/** The Updates about a request's offers, one for each verb of `offerVerbs`. */
export const offerUpdates = updatesOf(offerVerbs);
