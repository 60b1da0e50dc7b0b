// The run of the outbox. It sends until nothing is left, then ends. The first notice starts the run, later notices wake it.
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
import { attention } from './attention.ts';

const { sendPendingMail } = proxyActivities<MailActivities>({
  taskQueue: 'proxie-outbound',
  startToCloseTimeout: '15m',
  heartbeatTimeout: '30s',
  // The tries cover about an hour without a mail server. In that time the Web UI shows a pending activity with its last failure.
  retry: { initialInterval: '1s', maximumInterval: '1m', maximumAttempts: 70 },
  summary: 'what waits in the outbox',
});

/** The shortest pause between two tries: it keeps the run from looping without a break. */
const shortestPauseMs = 500;
/** The pause after the mail server has been away for an hour: then the outbox is tried again. */
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
    // A notice that came during the sending may be about a mail that the activity did not see.
    if (woken) continue;
    if (nextInMs === null) return;
    await condition(() => woken, Math.max(nextInMs, shortestPauseMs));
  }

  function orLater(error: unknown): SentMails {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    log.error('the mail server has been away for long', { error });
    attention().flag('mail');
    return longPause;
  }
}
