import type { Client } from '@temporalio/client';
import { mailWorkflowId, wakeMail } from '../contracts/mail.messages.ts';

/** Listens to Postgres's notices; see db/listen.ts. `onListening` also says that notices may have been missed. */
export type Listen = (channel: string, onNotice: () => void, onListening: () => void) => Promise<{ close(): Promise<void> }>;

export interface MailOutboxOptions {
  temporal: Client;
  listen: Listen;
  /** Milliseconds in which several notices become one signal. */
  debounceMs?: number;
  /** Milliseconds until a wake-up that failed is tried again. */
  retryMs?: number;
  onError: (error: unknown) => void;
}

/**
 * Wakes the outbox's run: at start, after every lost connection, and whenever a notification is written. A wake-up that fails
 * is repeated until it succeeds.
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
