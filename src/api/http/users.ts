import { randomUUID } from 'node:crypto';
import { planned, type Orm } from '../../db/orm.ts';
import type { Principal, UserRow } from './auth.ts';
import { guestIssuer } from './guests.ts';

/** The only place where external subjects become user ids. */
export interface Users {
  /** The user of a verified token; made on first sight. */
  resolve(principal: Principal): Promise<UserRow>;
}

/** One statement per request: finds the row, or makes it. The no-op update returns the row of whoever was quicker. */
const resolveUser = `
  with found as (select id, roles, status from user_account where issuer = ? and subject = ?),
  made as (
    insert into user_account (id, issuer, subject, email, display_name, roles)
    select ?::uuid, ?, ?, ?, ?, ?::text[] where not exists (select 1 from found)
    on conflict (issuer, subject) do update set subject = excluded.subject
    returning id, roles, status)
  select * from found union all select * from made`;

export function usersIn(orm: Orm): Users {
  return {
    async resolve({ issuer, subject, email, name }) {
      const guest = issuer === guestIssuer;
      // A guest's subject is an id we made and signed ourselves; everybody else gets a new one.
      const id = guest ? subject : randomUUID();
      const params = [issuer, subject, id, issuer, subject, email ?? null, name ?? null, guest ? '{guest}' : '{consumer}'];
      const [row] = await planned<UserRow>(orm.em.fork(), resolveUser, params);
      return row!;
    },
  };
}
