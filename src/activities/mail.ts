import { cancellationSignal } from '@temporalio/activity';
import type { Orm } from '../db/orm.ts';
import { giveUpMail, markSent, nextMailInMs, postponeMail, takeMails, type TakenMail } from '../db/queries/mail.ts';
import type { Mailer } from '../integrations/mail.ts';
import { mailText } from '../integrations/mail.templates.ts';
import { beating } from './beating.ts';

export interface MailDeps {
  orm: Orm;
  mailer?: Mailer;
  /** Where the links in mails lead. */
  publicUrl?: string;
  /** Tests set shorter times. */
  mailTiming?: Partial<typeof defaultTiming>;
}

/**
 * A claim (`leaseMs`) lasts longer than the slowest batch: 6 mails over 3 connections, 30 s each. A mail that a dead worker had claimed
 * waits for the end of the claim.
 */
const defaultTiming = { leaseMs: 150_000, firstPauseMs: 30_000, longestPauseMs: 3_600_000 };
const batchSize = 6;
const heartbeatMs = 5_000;
/**
 * Tries of one mail, by the server's refusal. A refusal for good (`never`) may be a mistake once. "Not now" (`later`) passes in about six
 * hours.
 */
const attemptsOn = { never: 2, later: 12 } as const;

export interface SentMails {
  sent: number;
  /** Milliseconds until the next mail may be tried; null when the outbox is empty. */
  nextInMs: number | null;
}

export type MailActivities = ReturnType<typeof mailActivities>;

/**
 * Sending is at least once: if a process dies after the server has accepted a mail and before our row says so, that mail is sent again with
 * the same Message-ID. All other mails are sent once.
 */
export function mailActivities({ orm, mailer, publicUrl = '', mailTiming = {} }: MailDeps) {
  const timing = { ...defaultTiming, ...mailTiming };

  return {
    /** Sends mails batch by batch until none is due. @throws when the server is away; unsent mails stay in the outbox */
    async sendPendingMail(): Promise<SentMails> {
      if (!mailer) return { sent: 0, nextInMs: null };
      const sent = await beating(heartbeatMs, () => sendAll(mailer));
      return { sent, nextInMs: await nextMailInMs(orm.em.fork()) };
    },
  };

  async function sendAll(mailer: Mailer): Promise<number> {
    let sent = 0;
    while (!cancellationSignal().aborted) {
      const batch = await takeMails(orm.em.fork(), batchSize, timing.leaseMs);
      if (batch.length === 0) break;
      const results = await Promise.allSettled(batch.map((mail) => send(mailer, mail)));
      sent += results.filter((result) => result.status === 'fulfilled' && result.value).length;
      const failed = results.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
    }
    return sent;
  }

  async function send(mailer: Mailer, mail: TakenMail): Promise<boolean> {
    const { to } = mail;
    if (to === null) return false;
    const em = orm.em.fork();
    const outcome = await mailer.send({ id: mail.id, to, ...mailText(mail, publicUrl) }).catch(async (error: unknown) => {
      await postponeMail(em, mail.id, 0, false);
      throw error;
    });
    if (outcome === 'accepted') await markSent(em, mail.id);
    else if (mail.attempts >= attemptsOn[outcome]) await giveUpMail(em, mail.id);
    else await postponeMail(em, mail.id, Math.min(timing.firstPauseMs * 2 ** (mail.attempts - 1), timing.longestPauseMs), true);
    return outcome === 'accepted';
  }
}
