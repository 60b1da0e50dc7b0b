import { randomUUID } from 'node:crypto';
import { sql, type Orm } from '../../db/orm.ts';
import type { Principal, UserRow } from './auth.ts';
import { guestIssuer } from './guests.ts';

/** The only place where external subjects become user ids. */
export interface Users {
  /** The user of a verified token; made on first sight. */
  resolve(principal: Principal): Promise<UserRow>;
}

/**
 * One statement per request: finds the row, or makes it. The no-op update returns the row of whoever was quicker.
 * The e-mail address is the issuer's: a token with another one changes it, and only then is anything written. The name is the
 * user's own after the first sight (`PATCH /me`).
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
      // A guest's subject is an id we made and signed ourselves; everybody else gets a new one.
      const id = guest ? subject : randomUUID();
      const params = [issuer, subject, email ?? null, id, issuer, subject, email ?? null, name ?? null, guest ? '{guest}' : '{consumer}'];
      const [row] = await sql<UserRow>(orm.em.fork(), resolveUser, params);
      return row!;
    },
  };
}
