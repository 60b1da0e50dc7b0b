import { defineSignal } from '@temporalio/workflow';

/** One run at a time serves the whole outbox. */
export const mailWorkflowId = 'mail/outbox';

/** There may be something to send. Waking a run that is awake costs nothing but the signal. */
export const wakeMail = defineSignal('wake');
