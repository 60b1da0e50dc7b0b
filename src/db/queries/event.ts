import type { TimelineEntry } from '../../contracts/common.ts';
import type { EventView } from '../../contracts/event.ts';
import type { Actor } from '../../domain/actor.ts';
import { DomainError } from '../../domain/errors.ts';
import { sql, type Db } from '../orm.ts';
import { instantText, ownedBy, ownedRow } from './page.ts';

interface EntryRow {
  seq: number;
  type: string;
  at: string;
  by: TimelineEntry['by'];
  reason: string | null;
  data: Record<string, unknown>;
}

const entryColumns = `e.seq, e.type, ${instantText('e.at')} as at, e.actor_role as by, e.reason, e.data`;

/**
 * The events of a stream that the actor may see, oldest first.
 * @param noun table of the stream's rows: our own text
 * @param owners columns of that table with the ids of its owners
 * @throws not_found, not_owner
 */
export async function timelineOf(
  em: Db,
  actor: Actor,
  {
    noun,
    id,
    owners,
    after,
    limit,
  }: { noun: 'request' | 'booking' | 'series' | 'enrollment'; id: string; owners: readonly string[]; after: number; limit: number },
): Promise<TimelineEntry[]> {
  const rows = await sql<EntryRow & { owners: string[]; seq: number | null }>(
    em,
    // oxlint-disable-next-line proxie/constant-sql -- one text for each noun
    `select array[${owners.map((column) => `n.${column}`).join(', ')}]::text[] as owners, ${entryColumns}
     from ${noun} n left join lateral (
       select * from event where stream = '${noun}/' || n.id and seq > ? and (? or audience @> array[?::uuid]) order by seq limit ?
     ) e on true where n.id = ? order by e.seq`,
    [after, actor.role === 'admin', actor.id, limit, id],
  );
  ownedRow(rows[0], actor, (row) => row.owners);
  return rows.filter(({ seq }) => seq !== null).map((row) => toEntry(row, actor));
}

/**
 * Events that a user may see after a position of the whole log, for realtime. A transaction that is still running may commit
 * rows with a lower position later, so reading stops below the oldest running transaction.
 */
export async function eventsAfter(
  em: Db,
  { actor, after, limit }: { actor: Actor; after: string; limit: number },
): Promise<{ events: EventView[]; position: string }> {
  const owner = ownedBy(actor, 'e.audience @> array[?::uuid]');
  const rows = await sql<EntryRow & { stream: string; position: string }>(
    em,
    `select e.stream, e.position::text as position, ${entryColumns} from event e
     where e.position > ?::bigint and e.transaction < pg_snapshot_xmin(pg_current_snapshot()) ${owner.where}
     order by e.position limit ?`,
    [after, ...owner.params, limit],
    // The best index depends on the reader and on the position: some users are in the audience of every tenth event, most in
    // that of a few.
  );
  return {
    events: rows.map((row) => ({ ...toEntry(row, actor), stream: row.stream, position: row.position })),
    position: rows.at(-1)?.position ?? after,
  };
}

/** Position at which the log ends now: a new listener starts here. */
export async function lastPosition(em: Db): Promise<string> {
  const [row] = await sql<{ position: string }>(
    em,
    'select coalesce(max(position), 0)::text as position from event where transaction < pg_snapshot_xmin(pg_current_snapshot())',
  );
  if (!row) throw new DomainError('temporarily_unavailable');
  return row.position;
}

/**
 * The part of an event that a reader of this role sees. Policies and payment references are internal. Reasons are for those who
 * wrote them and for operators.
 */
function toEntry({ seq, type, at, by, reason, data }: EntryRow, actor: Actor): TimelineEntry {
  const { policy: _policy, score: _score, ref: _ref, draft, ...shown } = data;
  const draftShown =
    draft && typeof draft === 'object' ? { draft: pick(draft as Record<string, unknown>, ['service', 'missing', 'hash']) } : {};
  const everything = actor.role === 'admin';
  return {
    seq,
    type,
    at,
    by,
    reason: everything || by === actor.role ? reason : null,
    data: everything ? data : { ...shown, ...draftShown },
  };
}

const pick = (from: Record<string, unknown>, keys: string[]) => Object.fromEntries(keys.map((key) => [key, from[key]]));
