import { sql, type Orm } from '../../db/orm.ts';
import { sqlStateOf } from '../../db/transaction.ts';
import type { Claimed, IdempotencyStore, Outcome } from './idempotency.ts';

// Claims a key that is new, expired, or whose lock has lapsed. Otherwise the row of the key is returned. When neither happens,
// another transaction inserted the key after our snapshot, so the key is in use. The answer of another key is stored in the same
// round trip.
const claimKey = `
  with answered as (update idempotency_key set state = 'done', status = ?, body = ?::jsonb, headers = ?::jsonb where id = ?),
  claimed as (
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

interface Waiting {
  fingerprint: string;
  outcome: Outcome;
}

type Stored = { id: string } & ReturnType<typeof columnsOf>;

/** How long an answer waits for the next claim to take it along, milliseconds. Another process sees the key in flight meanwhile. */
const lingerMs = 200;
/** The most answers that are stored together. */
const together = 100;

const storeAnswers = `
  update idempotency_key as k set state = 'done', status = a.status, body = a.body, headers = a.headers
  from jsonb_to_recordset(?::jsonb) as a(id text, status int, body jsonb, headers jsonb) where k.id = any(?::text[]) and k.id = a.id`;

export function idempotencyStoreIn(orm: Orm): IdempotencyStore {
  /** Answers that are not stored yet. `line` has those that nobody is storing. */
  const waiting = new Map<string, Waiting>();
  const line: string[] = [];
  let timer: NodeJS.Timeout | undefined;

  /** Takes answers out of the line and gives them to `store`. They stand in the line again when it fails. */
  async function storing<T>(most: number, store: (answers: Stored[]) => Promise<T>): Promise<T> {
    const taken = line.splice(0, most);
    try {
      const result = await store(taken.map((id) => ({ id, ...columnsOf(waiting.get(id)!.outcome) })));
      for (const id of taken) waiting.delete(id);
      return result;
    } catch (error) {
      line.unshift(...taken);
      throw error;
    } finally {
      if (line.length > 0) linger();
    }
  }

  const flush = (): Promise<unknown> =>
    storing(together, (answers) => sql(orm.em.fork(), storeAnswers, [JSON.stringify(answers), answers.map(({ id }) => id)]));

  function linger(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (line.length > 0) flush().catch(() => {}); // They wait for the next claim, or for the next time.
    }, lingerMs);
  }

  /** Two processes that claim each other's keys may wait for each other; the one that Postgres stops asks again. */
  async function claimRow(params: unknown[]): Promise<KeyRow | undefined> {
    const ask = async () => {
      const rows = await storing(1, ([answer]) => {
        const stored = answer ? [answer.status, JSON.stringify(answer.body), JSON.stringify(answer.headers), answer.id] : noAnswer;
        return sql<KeyRow>(orm.em.fork(), claimKey, [...stored, ...params], { prepared: true });
      });
      return rows[0];
    };
    return ask().catch((error: unknown) => {
      if (sqlStateOf(error) !== '40P01') throw error;
      return ask();
    });
  }

  return {
    async claim({ id, actorId, fingerprint, lockMs, keepMs }): Promise<Claimed> {
      const kept = waiting.get(id);
      if (kept) return kept.fingerprint === fingerprint ? { is: 'done', outcome: kept.outcome } : { is: 'reused' };
      const row = await claimRow([id, actorId, fingerprint, lockMs, keepMs, id]);
      if (row?.is === 'claimed') return { is: 'claimed' };
      if (row && row.fingerprint !== fingerprint) return { is: 'reused' };
      if (row?.is !== 'done') return { is: 'in_flight', retryAfterS: Math.max(1, row?.wait_s ?? 1) };
      return {
        is: 'done',
        outcome: { status: row.status ?? 0, body: row.body?.json && JSON.parse(row.body.json), headers: row.headers ?? {} },
      };
    },
    answered({ id, fingerprint }, outcome) {
      waiting.set(id, { fingerprint, outcome });
      line.push(id);
      linger();
    },
    async refused(id, outcome) {
      const { status, body, headers } = columnsOf(outcome);
      await sql(
        orm.em.fork(),
        `update idempotency_key set state = 'done', status = ?, body = ?::jsonb, headers = ?::jsonb where id = ?`,
        [status, JSON.stringify(body), JSON.stringify(headers), id],
        { prepared: true },
      );
    },
    async release(id) {
      await sql(orm.em.fork(), `update idempotency_key set locked_until = now() where id = ? and state = 'in_flight'`, [id], {
        prepared: true,
      });
    },
    async close() {
      clearTimeout(timer);
      while (line.length > 0) await flush();
      clearTimeout(timer);
    },
  };
}

const noAnswer = [null, null, null, null];

/** The body is stored as text: jsonb reorders fields, and the repeated answer has to be the first one, byte for byte. */
const columnsOf = ({ status, body, headers }: Outcome) => ({ status, body: { json: JSON.stringify(body) }, headers });
