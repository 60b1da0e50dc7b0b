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
 * The part of a stream's timeline that its reader may see, oldest first.
 * @param noun table of the stream's rows: our own text
 * @param owners columns of that table which hold the users it belongs to
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
 * Events a user may see after a position of the whole log, for realtime. Rows of transactions that are still running
 * could come in later with a lower position, so reading stops below the oldest of them.
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
    // Some users stand in the audience of every tenth event, most in a few: which index helps depends on who asks, and from where.
    { replan: true },
  );
  return {
    events: rows.map((row) => ({ ...toEntry(row, actor), stream: row.stream, position: row.position })),
    position: rows.at(-1)?.position ?? after,
  };
}

/** Where the log ends now: a new listener starts here. */
export async function lastPosition(em: Db): Promise<string> {
  const [row] = await sql<{ position: string }>(
    em,
    'select coalesce(max(position), 0)::text as position from event where transaction < pg_snapshot_xmin(pg_current_snapshot())',
  );
  if (!row) throw new DomainError('temporarily_unavailable');
  return row.position;
}

/** What a reader of this role sees of an event: policies and payment references are ours, reasons are for those who wrote them and operators. */
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
