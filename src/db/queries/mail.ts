import { sql, type Db } from '../orm.ts';

export interface TakenMail {
  id: string;
  kind: string;
  stream: string;
  ids: Record<string, string>;
  /** null when the recipient gets no mail: the row is marked as skipped. */
  to: string | null;
  attempts: number;
}

/** Older notifications are not mailed: an outbox that was off for weeks must not flood anybody. */
const staleAfter = '2 days';

/**
 * Takes up to `limit` unsent mails for `leaseMs`. Nobody else takes them in that time. When the taker dies, they are free again
 * after it.
 * Notifications are marked as skipped when the recipient has no address, no active account, or does not want mail, and when
 * they are too old.
 */
export async function takeMails(em: Db, limit: number, leaseMs: number): Promise<TakenMail[]> {
  return sql<TakenMail>(
    em,
    `with due as (
       select n.id, case when n.created_at > now() - interval '${staleAfter}' and u.status = 'active'
           and u.preferences -> 'mail' is distinct from 'false'::jsonb then u.email end as email
       from notification n left join user_account u on u.id = n.recipient_id
       where n.mail_status = 'waiting' and n.mail_after <= now() order by n.mail_after limit ? for update of n skip locked)
     update notification n set mail_status = case when due.email is null then 'skipped' else 'waiting' end,
       mail_attempts = n.mail_attempts + 1, mail_after = now() + ? * interval '1 ms'
     from due where n.id = due.id
     returning n.id, n.kind, n.stream, n.data as ids, due.email as "to", n.mail_attempts as attempts`,
    [limit, leaseMs],
  );
}

export async function markSent(em: Db, id: string): Promise<void> {
  await sql(em, `update notification set mail_status = 'sent', mailed_at = now() where id = ?`, [id]);
}

export async function giveUpMail(em: Db, id: string): Promise<void> {
  await sql(em, `update notification set mail_status = 'failed' where id = ? and mail_status = 'waiting'`, [id]);
}

/** Sends a mail later, after `pauseMs`. @param counted false when the mail did not cause the failure: the attempt is given back */
export async function postponeMail(em: Db, id: string, pauseMs: number, counted: boolean): Promise<void> {
  await sql(
    em,
    `update notification set mail_after = now() + ? * interval '1 ms', mail_attempts = mail_attempts - ? where id = ? and mail_status = 'waiting'`,
    [pauseMs, counted ? 0 : 1, id],
  );
}

/** Milliseconds until the next unsent mail may be taken: 0 for now, null when there is none. */
export async function nextMailInMs(em: Db): Promise<number | null> {
  const [row] = await sql<{ ms: number | null }>(
    em,
    `select ceil(extract(epoch from min(mail_after) - now()) * 1000)::float as ms from notification where mail_status = 'waiting'`,
  );
  return row?.ms == null ? null : Math.max(0, row.ms);
}
