import type { Client } from '@temporalio/client';
import { mailWorkflowId, wakeMail } from '../contracts/mail.messages.ts';

/** Hears Postgres's notices; see db/listen.ts. `onListening` also tells that some may have been missed. */
export type Listen = (channel: string, onNotice: () => void, onListening: () => void) => Promise<{ close(): Promise<void> }>;

export interface MailOutboxOptions {
  temporal: Client;
  listen: Listen;
  /** A burst of notices is one signal. */
  debounceMs?: number;
  /** How long until a wake-up that Temporal did not take is tried again. */
  retryMs?: number;
  onError: (error: unknown) => void;
}

/**
 * Keeps the outbox's run awake: at start, after every lost connection, and whenever a notification is written. A wake-up
 * that cannot be delivered is repeated until it can.
 */
export async function serveMailOutbox({
  temporal,
  listen,
  debounceMs = 250,
  retryMs = 5_000,
  onError,
}: MailOutboxOptions): Promise<{ close(): Promise<void> }> {
  let timer: NodeJS.Timeout | undefined;
  let waking: Promise<void> = Promise.resolve();
  let closed = false;

  async function wake(): Promise<void> {
    try {
      await temporal.withDeadline(Date.now() + 10_000, () =>
        temporal.workflow.signalWithStart('mailWorkflow', {
          workflowId: mailWorkflowId,
          taskQueue: 'proxie',
          signal: wakeMail,
          args: [],
          staticSummary: 'The mail outbox',
        }),
      );
    } catch (error) {
      onError(error);
      wakeIn(retryMs);
    }
  }

  function wakeIn(ms: number): void {
    if (closed || timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      waking = wake();
    }, ms);
  }

  const listening = await listen(
    'proxie_notification',
    () => wakeIn(debounceMs),
    () => wakeIn(0),
  );
  wakeIn(0);
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await Promise.all([listening.close(), waking]);
    },
  };
}
