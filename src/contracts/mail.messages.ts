import { defineSignal } from '@temporalio/workflow';

/** One run at a time serves the whole outbox. */
export const mailWorkflowId = 'mail/outbox';

/** Tells the run that there may be something to send. Waking a run that is awake costs only the Signal. */
export const wakeMail = defineSignal('wake');
