// The outbox: works until nothing is left, then ends. It is started by the first notice and woken by the others.
import {
  ActivityFailure,
  condition,
  continueAsNew,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { MailActivities, SentMails } from '../activities/mail.ts';
import { wakeMail } from '../contracts/mail.messages.ts';
import { needAttention } from './attention.ts';

const { sendPendingMail } = proxyActivities<MailActivities>({
  taskQueue: 'proxie-outbound',
  startToCloseTimeout: '15m',
  heartbeatTimeout: '30s',
  // An hour or so of a mail server that is away, visible as a pending activity with its last failure.
  retry: { initialInterval: '1s', maximumInterval: '1m', maximumAttempts: 70 },
  summary: 'what waits in the outbox',
});

/** Whatever the outbox says: this run never turns into a spinning one. */
const shortestPauseMs = 500;
/** After which the outbox is tried again although the mail server has been away for an hour. */
const longPause: SentMails = { sent: 0, nextInMs: 600_000 };

export async function mailWorkflow(): Promise<void> {
  let woken = true;
  let sent = 0;
  setHandler(wakeMail, () => void (woken = true), { description: 'there may be something to send' });

  for (;;) {
    woken = false;
    const { sent: more, nextInMs } = await sendPendingMail().catch(orLater);
    sent += more;
    setCurrentDetails(`Sent: ${sent}`);
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof mailWorkflow>();
    // A notice that came while we were sending may be about something we did not see.
    if (woken) continue;
    if (nextInMs === null) return;
    await condition(() => woken, Math.max(nextInMs, shortestPauseMs));
  }

  function orLater(error: unknown): SentMails {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    log.error('the mail server has been away for long', { error });
    needAttention();
    return longPause;
  }
}
