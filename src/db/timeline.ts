// Appends events. Every append is one transaction, and nothing else in Proxie writes events or status columns
// (docs/architecture.md).
import { closes, needsRun, reopens } from '../domain/closing.ts';
import { DomainError } from '../domain/errors.ts';
import {
  catchUpRows,
  type Appended,
  type EventBase,
  type EventMeta,
  type Known,
  type Recorded,
  type StreamEvents,
  type StreamPart,
} from '../domain/timeline.ts';
import { sql, type Db, type Orm } from './orm.ts';
import { projectAll } from './projections/index.ts';
import { inTransaction, NotWritten } from './transaction.ts';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';

export interface AppendInput<E extends EventBase = EventBase> extends StreamPart<E> {
  /** Events of other streams of the same run, in the same transaction. */
  also?: StreamPart[];
  command: CommandMeta;
  /** When the command was decided, RFC 3339 UTC. */
  at: string;
}

/**
 * Appends a command's events at `after + 1` of each stream together with every row they change, or writes nothing and returns
 * what the caller did not know. Running it twice has one effect.
 * @returns `written` (fold the events that you sent) · `behind` (fold these events and decide again) · `replayed` (the
 * command's events were written earlier) · `refused` (something outside the stream says no; the transaction was rolled back)
 */
export async function append<E extends EventBase>(orm: Orm, input: AppendInput<E>): Promise<Appended<E>> {
  try {
    const written = await inTransaction(orm, (tx) => write(tx, input));
    if (written) return { is: 'written' };
  } catch (error) {
    if (error instanceof DomainError) return { is: 'refused', code: error.code, detail: error.detail };
    throw error;
  }
  return diagnose<E>(orm.em.fork(), input);
}

/** `append` inside a transaction of the caller, for rows that no workflow owns. @throws NotWritten when the caller is behind */
export async function write<E extends EventBase>(tx: Db, input: AppendInput<E>): Promise<boolean> {
  const { command, at } = input;
  const rows = rowsOf(input);
  const streams = [...new Set(rows.map(({ stream }) => stream))].toSorted();
  const { opened, closed } = openAndClosed(rows);
  const [result] = await sql<{ written: number }>(
    tx,
    insertEvents,
    [
      // One stream needs no lock: its positions are unique.
      streams.length > 1 ? streams : [],
      command.id,
      command.by.id,
      command.by.role,
      command.onBehalfOf ?? null,
      at,
      JSON.stringify(rows.map(({ event, ...place }) => ({ ...place, ...columnsOf(event, command.reason) }))),
      opened,
      closed,
      JSON.stringify(notificationsOf(rows)),
      streams,
    ],
    { prepared: true },
  );
  if (result!.written < rows.length) throw new NotWritten();
  const meta = { commandId: command.id, at, by: command.by };
  await projectAll(
    tx,
    rows.map((row) => ({ stream: row.stream, event: { ...row.event, ...meta, seq: row.seq } })),
  );
  return true;
}

/** All events of a command in the order in which they were decided, each with its place on its timeline. */
function rowsOf({ stream, after, events, also = [] }: StreamPart & { also?: StreamPart[] }): Row[] {
  const ends = new Map<string, number>();
  const rows: Row[] = [];
  for (const part of [{ stream, after, events }, ...also]) {
    for (const event of part.events) {
      const to = event.stream ?? part.stream;
      const base = event.stream ? 0 : part.after;
      const seq = (ends.get(to) ?? base) + 1;
      ends.set(to, seq);
      rows.push({ event, part: rows.length, stream: to, seq, after: base });
    }
  }
  return rows;
}

// `on conflict do nothing` covers position and command id at once, so neither needs a look-up of its own. The same round trip
// writes the open streams, the notifications and the notices. A caller who is behind rolls all of them back. Several streams
// are locked in the order of their names, so that two writers never wait for each other.
const insertEvents = `
  with locked as materialized (select count(pg_advisory_xact_lock(hashtextextended(stream, 0))) from unnest(?::text[]) as l(stream)),
  written as (
    insert into event (stream, seq, command_id, part, type, actor_id, actor_role, on_behalf_of, at, reason, data, audience)
    select e.stream, e.seq, c.id, e.part, e.type, c.actor_id, c.actor_role, c.on_behalf_of, c.at, e.reason, e.data, e.audience
    from (values (?::text, ?::uuid, ?::text, ?::uuid, ?::timestamptz)) as c(id, actor_id, actor_role, on_behalf_of, at),
      jsonb_to_recordset(?::jsonb) as e(stream text, seq int, after int, part int, type text, reason text, data jsonb, audience uuid[]), locked
    where e.after = 0 or exists (select 1 from event before where before.stream = e.stream and before.seq = e.after)
    on conflict do nothing
    returning seq
  ),
  opened as (insert into open_stream (stream) select unnest(?::text[]) on conflict do nothing),
  closed as (delete from open_stream where stream = any(?::text[])),
  told as (
    insert into notification (recipient_id, kind, stream, seq, data)
    select recipient_id, kind, stream, seq, data
    from jsonb_to_recordset(?::jsonb) as n(recipient_id uuid, kind text, stream text, seq int, data jsonb)
    on conflict do nothing
    returning 1
  )
  select (select count(*)::int from written) as written, (select count(pg_notify('proxie_event', stream)) from unnest(?::text[]) as n(stream)),
    (select pg_notify('proxie_notification', '') from (select from told limit 1) as anybody)`;

interface Row {
  event: EventBase;
  /** Number of the event within its command. */
  part: number;
  stream: string;
  seq: number;
  /** Position of the stream before the command. */
  after: number;
}

/** The streams that need a run after these events, and those that no longer need one. */
function openAndClosed(rows: readonly Row[]): { opened: string[]; closed: string[] } {
  const open = new Map<string, boolean>();
  for (const { event, stream, seq } of rows) {
    if ((seq === 1 && needsRun(stream)) || reopens(event)) open.set(stream, true);
    if (closes(event)) open.set(stream, false);
  }
  const streams = (wanted: boolean) => [...open].filter(([, is]) => is === wanted).map(([stream]) => stream);
  return { opened: streams(true), closed: streams(false) };
}

/** The columns of an event; all other fields are its data. */
function columnsOf<E extends EventBase>(event: E, commandReason: string | undefined) {
  const { type, stream: _stream, audience = [], notify: _notify, reason = commandReason, ...data } = event;
  return { type, audience, reason, data };
}

const notificationsOf = (rows: readonly Row[]) =>
  rows.flatMap(({ event, stream, seq }) =>
    (event.notify ?? []).map(({ to, kind }) => ({ recipient_id: to, kind, stream, seq, data: subjectOf(event) })),
  );

/** The ids that a reader needs to open the subject of a notification. */
function subjectOf(event: EventBase): Record<string, string> {
  const fields = event as unknown as Record<string, unknown>;
  return Object.fromEntries(['offerId', 'bookingId'].flatMap((key) => (typeof fields[key] === 'string' ? [[key, fields[key]]] : [])));
}

interface EventRow {
  seq: number;
  command_id: string;
  type: string;
  actor_id: string;
  actor_role: EventMeta['by']['role'];
  data: Record<string, unknown>;
  at: Date | string;
}

/**
 * Finds out why nothing was written: the caller is behind, the command was written earlier, or the timeline is shorter than the
 * caller believes.
 */
async function diagnose<E extends EventBase>(em: Db, input: AppendInput<E>): Promise<Appended<E>> {
  const { stream, command } = input;
  const known = new Map(rowsOf(input).map((row) => [row.stream, row.after]));
  const streams = await unknownTo<E>(
    em,
    [...known].map(([name, after]) => ({ stream: name, after })),
  );
  if (streams.length > 0) return { is: 'behind', streams };
  const own = await sql<EventRow>(em, `${selectEvents} where stream = ? and command_id = ? order by seq`, [stream, command.id]);
  if (own.length > 0) return { is: 'replayed', events: own.map(toEvent<E>) };
  for (const [name, after] of known) if ((await endOf(em, name)) < after) return { is: 'refused', code: 'timeline_behind', detail: {} };
  // Another writer has taken these positions and rolled back since.
  return { is: 'refused', code: 'timeline_busy', detail: { retryAfterS: 1 } };
}

/** The events that a reader does not know, at most 500 of each stream. Streams without such events are left out. */
export async function unknownTo<E extends EventBase>(em: Db, known: readonly Known[]): Promise<StreamEvents<E>[]> {
  const found: StreamEvents<E>[] = [];
  for (const { stream, after } of known) {
    const events = await eventsOf<E>(em, stream, after);
    if (events.length > 0) found.push({ stream, events });
  }
  return found;
}

const selectEvents = 'select seq, command_id, type, actor_id, actor_role, data, at from event';

/** A stream's events after a position, oldest first. @param limit at most 500 */
export async function eventsOf<E extends EventBase>(em: Db, stream: string, after: number, limit = catchUpRows): Promise<Recorded<E>[]> {
  const rows = await sql<EventRow>(em, `${selectEvents} where stream = ? and seq > ? order by seq limit ?`, [stream, after, limit], {
    prepared: true,
  });
  return rows.map(toEvent<E>);
}

function toEvent<E extends EventBase>(row: EventRow): Recorded<E> {
  const meta: EventMeta & EventBase = {
    type: row.type,
    seq: row.seq,
    commandId: row.command_id,
    at: new Date(row.at).toISOString(),
    by: { id: row.actor_id, role: row.actor_role },
  };
  return { ...row.data, ...meta } as unknown as Recorded<E>;
}

/** Position of a stream's last event, 0 when it has none. */
export async function endOf(em: Db, stream: string): Promise<number> {
  const [row] = await sql<{ seq: number | null }>(em, 'select max(seq) as seq from event where stream = ?', [stream]);
  return row?.seq ?? 0;
}

/** Whether one of these streams still needs a run. */
export async function isOpen(em: Db, ...streams: string[]): Promise<boolean> {
  return (await sql(em, 'select 1 from open_stream where stream = any(?::text[]) limit 1', [streams])).length > 0;
}

/**
 * The stored answer of a command, also after its run has ended or was lost.
 * @returns undefined when the command was never written
 */
export async function answerOf(orm: Orm, stream: string, commandId: string): Promise<CommandAnswer | undefined> {
  const [row] = await sql<{ seq: number }>(
    orm.em.fork(),
    'select max(seq) as seq from event where stream = ? and command_id = ? having max(seq) is not null',
    [stream, commandId],
  );
  return row && { status: 'replayed', seq: row.seq };
}
