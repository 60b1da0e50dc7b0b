import { randomUUID } from 'node:crypto';
import { sql, type Orm } from '../../db/orm.ts';
import { sqlStateOf } from '../../db/transaction.ts';
import type { Principal, UserRow } from './auth.ts';
import { guestIssuer } from './guests.ts';

/** Turns external subjects into user ids; no other code does. */
export interface Users {
  /** The user of a verified token. The first token of a subject creates the user. */
  resolve(principal: Principal): Promise<UserRow>;
}

/**
 * One statement per request finds the row or inserts it. When two requests insert at once, the update without effect returns
 * the row of the first.
 * The e-mail address comes from the issuer: a token with another address changes it, and only then is anything written. The
 * name comes from the first token; after that the user changes it (`PATCH /me`).
 */
const resolveUser = `
  with found as (select id, roles, status, email from user_account where issuer = ? and subject = ?),
  moved as (
    update user_account as u set email = t.email from found, (select ?::text as email) as t
    where u.id = found.id and t.email is not null and t.email is distinct from found.email),
  made as (
    insert into user_account (id, issuer, subject, email, display_name, roles)
    select ?::uuid, ?, ?, ?, ?, ?::text[] where not exists (select 1 from found)
    on conflict (issuer, subject) do update set subject = excluded.subject
    returning id, roles, status)
  select id, roles, status from found union all select id, roles, status from made`;

export function usersIn(orm: Orm): Users {
  return {
    async resolve({ issuer, subject, email, name }) {
      const guest = issuer === guestIssuer;
      // The subject of a guest is an id that we made and signed. Every other user gets a new id.
      const id = guest ? subject : randomUUID();
      const params = [issuer, subject, email ?? null, id, issuer, subject, email ?? null, name ?? null, guest ? '{guest}' : '{consumer}'];
      const ask = () => sql<UserRow>(orm.em.fork(), resolveUser, params, { prepared: true });
      // Of a guest's first requests at once, one can meet the id of another before its subject. Then the row is there.
      const [row] = await ask().catch((error: unknown) => {
        if (sqlStateOf(error) === '23505') return ask();
        throw error;
      });
      return row!;
    },
  };
}
