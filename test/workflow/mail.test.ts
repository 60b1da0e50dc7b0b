import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { mailActivities, type MailDeps, type SentMails } from '../../src/activities/mail.ts';
import { mailWorkflowId } from '../../src/contracts/mail.messages.ts';
import { listen } from '../../src/db/listen.ts';
import { smtpMailer, type Mailer } from '../../src/integrations/mail.ts';
import { serveMailOutbox } from '../../src/temporal/mail-outbox.ts';
import { eventually } from '../support/http.ts';
import { mailServer, type MailServer } from '../support/smtp.ts';
import { startSuite, type Suite } from '../support/suite.ts';

/** Longer than a slow machine works: claims and pauses end only through `lapse`. */
const mailTiming = { leaseMs: 60_000, firstPauseMs: 60_000, longestPauseMs: 60_000 };
/** For runs that wait by themselves. */
const briefly = { ...mailTiming, firstPauseMs: 100, longestPauseMs: 200 };
let suite: Suite;
let server: MailServer;
let mailer: Mailer;

beforeAll(async () => {
  server = await mailServer();
  mailer = smtpMailer({ smtpUrl: server.url, from: 'Proxie <no-reply@proxie.test>' });
  suite = await startSuite({ api: false, deps: { mailer, publicUrl: 'https://proxie.test', mailTiming: briefly } });
});
afterAll(async () => {
  mailer.close();
  await suite.close();
  await server.stop();
});
beforeEach(async () => {
  await suite.rows('delete from notification');
  server.received.length = 0;
});
afterEach(() => {
  server.answer = () => null;
});

/** Stores a user with one notification. @returns mail address and notification */
async function told({
  email = `${randomUUID()}@example.test` as string | null,
  kind = 'offers_ready',
  preferences = '{}',
  age = '0 s',
} = {}) {
  const user = randomUUID();
  await suite.rows('insert into user_account (id, issuer, subject, email, preferences) values (?, ?, ?, ?, ?::jsonb)', [
    user,
    'test',
    user,
    email,
    preferences,
  ]);
  const [row] = await suite.rows<{ id: string }>(
    `with told as (insert into notification (recipient_id, kind, stream, seq, data, created_at) values (?, ?, ?, 1, '{}', now() - ?::interval) returning id)
     select id, pg_notify('proxie_notification', '') from told`,
    [user, kind, `request/${randomUUID()}`, age],
  );
  return { id: row!.id, email: email ?? '' };
}
const statusOf = async (id: string) =>
  (
    await suite.rows<{ status: string; attempts: number }>(
      'select mail_status as status, mail_attempts as attempts from notification where id = ?',
      [id],
    )
  )[0]!;

/** Ends every claim and every pause. */
const lapse = () => suite.rows(`update notification set mail_after = now() - interval '1 second' where mail_status = 'waiting'`);

/** The activity as one worker runs it. */
function send(deps: Partial<MailDeps> = {}): Promise<SentMails> {
  const { sendPendingMail } = mailActivities({ orm: suite.orm, mailer, publicUrl: 'https://proxie.test', mailTiming, ...deps });
  return new MockActivityEnvironment().run(sendPendingMail) as Promise<SentMails>;
}

describe('sending what waits', () => {
  it('given some mails, each is sent once, with a link and nothing private', async () => {
    const all = await Promise.all(Array.from({ length: 25 }, () => told()));
    expect(await send()).toEqual({ sent: 25, nextInMs: null });
    expect(server.received.map(({ to }) => to).sort()).toEqual(all.map(({ email }) => email).sort());
    const [first] = server.received;
    expect(first).toMatchObject({
      subject: 'Proxie: Your offers are ready',
      messageId: expect.stringMatching(/^<[0-9a-f-]{36}@proxie\.test>$/),
    });
    expect(first!.raw).toContain('https://proxie.test/requests/');
    expect(await send()).toEqual({ sent: 0, nextInMs: null });
  });

  it('given two workers at once, no mail goes out twice', async () => {
    await Promise.all(Array.from({ length: 30 }, () => told()));
    await Promise.all([send(), send()]);
    expect(new Set(server.received.map(({ messageId }) => messageId)).size).toBe(30);
    expect(server.received).toHaveLength(30);
  });

  it.each([
    ['has no address', { email: null }],
    ['wants no mail', { preferences: '{"mail": false}' }],
    ['is told of something old', { age: '3 days' }],
  ])('given somebody who %s, nothing is sent and nothing waits', async (_, options) => {
    const { id } = await told(options);
    expect(await send()).toEqual({ sent: 0, nextInMs: null });
    expect(await statusOf(id)).toMatchObject({ status: 'skipped' });
    expect(server.received).toEqual([]);
  });
});

describe('a server that says no', () => {
  it('given "not now", the mail is tried again after a pause and arrives once', async () => {
    server.answer = (_, attempt) => (attempt < 3 ? 451 : null);
    const { id } = await told();
    const first = await send();
    expect(first).toMatchObject({ sent: 0, nextInMs: expect.any(Number) });
    expect(first.nextInMs).toBeGreaterThan(0);
    await lapse();
    expect(await send()).toMatchObject({ sent: 0, nextInMs: expect.any(Number) });
    await lapse();
    expect(await send()).toEqual({ sent: 1, nextInMs: null });
    expect(server.received).toHaveLength(1);
    expect(await statusOf(id)).toEqual({ status: 'sent', attempts: 3 });
  });

  it('given "never", the mail is given up after a second try, and the others go out', async () => {
    const [refused, fine] = await Promise.all([told(), told()]);
    server.answer = (to) => (to === refused.email ? 550 : null);
    expect(await send()).toMatchObject({ sent: 1, nextInMs: expect.any(Number) });
    await lapse();
    expect(await send()).toEqual({ sent: 0, nextInMs: null });
    expect(await statusOf(refused.id)).toEqual({ status: 'failed', attempts: 2 });
    expect(await statusOf(fine.id)).toEqual({ status: 'sent', attempts: 1 });
  });

  it('given "not now" for ever, it is given up after twelve tries', async () => {
    server.answer = () => 451;
    const { id } = await told();
    await suite.rows('update notification set mail_attempts = 11 where id = ?', [id]);
    expect(await send()).toEqual({ sent: 0, nextInMs: null });
    expect(await statusOf(id)).toEqual({ status: 'failed', attempts: 12 });
  });

  it('given it is away, no attempt is lost and the mail goes out when it is back', async () => {
    const { id } = await told();
    const away = smtpMailer({ smtpUrl: 'smtp://127.0.0.1:1', from: 'no-reply@proxie.test' });
    await expect(send({ mailer: away })).rejects.toThrow(/ECONNREFUSED/);
    away.close();
    expect(await statusOf(id)).toEqual({ status: 'waiting', attempts: 0 });
    expect(await send()).toEqual({ sent: 1, nextInMs: null });
  });
});

describe('a worker that dies', () => {
  it('between the server’s yes and our note of it: the mail comes once more, with the same Message-ID', async () => {
    const { id } = await told();
    let accepted: () => void = () => {};
    const died = new Promise<void>((resolve) => (accepted = resolve));
    // A process that was killed: the mail server has the mail, and the process never answers.
    const dying: Mailer = {
      close() {},
      async send(mail) {
        await mailer.send(mail);
        accepted();
        return new Promise(() => {});
      },
    };
    void send({ mailer: dying });
    await died;
    const { nextInMs } = await send();
    expect(nextInMs).toBeGreaterThan(0); // The claim has not ended.
    await lapse();
    expect(await send()).toEqual({ sent: 1, nextInMs: null });
    expect(server.received).toHaveLength(2);
    expect(server.received.map(({ messageId }) => messageId)).toEqual([`<${id}@proxie.test>`, `<${id}@proxie.test>`]);
    expect(await statusOf(id)).toEqual({ status: 'sent', attempts: 2 });
  });
});

describe('the outbox', () => {
  const outbox = () =>
    serveMailOutbox({
      temporal: suite.temporal,
      listen: (channel, onNotice, onListening) =>
        listen({ databaseUrl: suite.databaseUrl, onListening, maxPauseMs: 200 }, channel, onNotice),
      debounceMs: 20,
      retryMs: 100,
      onError: () => {},
    });
  const arrived = (emails: string[]) =>
    eventually(
      async () => server.received.map(({ to }) => to),
      (to) => emails.every((email) => to.includes(email)),
      { what: 'the mail' },
    );

  it('sends what waited at the start and what comes later, and ends when nothing is left', async () => {
    const before = await told();
    const serving = await outbox();
    await arrived([before.email]);
    const later = await Promise.all(Array.from({ length: 5 }, () => told()));
    await arrived(later.map(({ email }) => email));
    await suite.temporal.workflow.result(mailWorkflowId);
    await serving.close();
    expect(server.received).toHaveLength(6);
  });

  it('given its connection is cut, it listens again and misses nothing', async () => {
    const serving = await outbox();
    const { email } = await told();
    await arrived([email]);
    await suite.rows(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'proxie-listen-proxie_notification'`);
    const during = await told();
    await arrived([during.email]);
    await serving.close();
  });

  it('given a server that is away for a while, the mail arrives when it is back', async () => {
    await server.stop();
    const serving = await outbox();
    const { email, id } = await told();
    await eventually(
      () => suite.temporal.workflow.getHandle(mailWorkflowId).describe(),
      ({ raw }) => (raw.pendingActivities?.[0]?.attempt ?? 0) > 1,
    );
    await server.start();
    await arrived([email]);
    expect((await statusOf(id)).status).toBe('sent');
    await serving.close();
  });

  it('given "not now", its run waits and tries again by itself', async () => {
    server.answer = (_, attempt) => (attempt < 3 ? 451 : null);
    const serving = await outbox();
    const { email } = await told();
    await arrived([email]);
    await suite.temporal.workflow.result(mailWorkflowId);
    await serving.close();
    expect(server.received).toHaveLength(1);
  });
});
