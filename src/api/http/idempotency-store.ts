import { sql, type Orm } from '../../db/orm.ts';
import type { Claimed, IdempotencyStore, Outcome } from './idempotency.ts';

// Claims a key that is new, expired, or whose lock has lapsed. Otherwise the row of the key is returned. When neither happens,
// another transaction inserted the key after our snapshot, so the key is in use.
const claimKey = `
  with claimed as (
    insert into idempotency_key as k (id, actor_id, fingerprint, state, locked_until, expires_at)
    values (?, ?::uuid, ?, 'in_flight', now() + ?::int * interval '1 ms', now() + ?::int * interval '1 ms')
    on conflict (id) do update set fingerprint = excluded.fingerprint, state = 'in_flight', status = null, body = null, headers = null,
      locked_until = excluded.locked_until, expires_at = excluded.expires_at
    where k.expires_at <= now() or (k.state = 'in_flight' and k.locked_until <= now() and k.fingerprint = excluded.fingerprint)
    returning id)
  select 'claimed' as is, null as fingerprint, null::int as status, null::jsonb as body, null::jsonb as headers, 0 as wait_s from claimed
  union all
  select state, fingerprint, status, body, headers, ceil(extract(epoch from locked_until - now()))::int
  from idempotency_key where id = ? and not exists (select 1 from claimed)`;

interface KeyRow {
  is: 'claimed' | 'in_flight' | 'done';
  fingerprint: string | null;
  status: number | null;
  body: { json?: string } | null;
  headers: Record<string, string> | null;
  wait_s: number;
}

export function idempotencyStoreIn(orm: Orm): IdempotencyStore {
  return {
    async claim({ id, actorId, fingerprint, lockMs, keepMs }): Promise<Claimed> {
      const [row] = await sql<KeyRow>(orm.em.fork(), claimKey, [id, actorId, fingerprint, lockMs, keepMs, id], { prepared: true });
      if (row?.is === 'claimed') return { is: 'claimed' };
      if (row && row.fingerprint !== fingerprint) return { is: 'reused' };
      if (row?.is !== 'done') return { is: 'in_flight', retryAfterS: Math.max(1, row?.wait_s ?? 1) };
      return {
        is: 'done',
        outcome: { status: row.status ?? 0, body: row.body?.json && JSON.parse(row.body.json), headers: row.headers ?? {} },
      };
    },
    async finish(id, { status, body, headers }: Outcome) {
      await sql(
        orm.em.fork(),
        `update idempotency_key set state = 'done', status = ?, body = ?::jsonb, headers = ?::jsonb where id = ?`,
        [
          status,
          // Stored as text: jsonb reorders fields, and the repeated answer has to be the first one, byte for byte.
          JSON.stringify({ json: JSON.stringify(body) }),
          JSON.stringify(headers),
          id,
        ],
        { prepared: true },
      );
    },
    async release(id) {
      await sql(orm.em.fork(), `update idempotency_key set locked_until = now() where id = ? and state = 'in_flight'`, [id], {
        prepared: true,
      });
    },
  };
}
