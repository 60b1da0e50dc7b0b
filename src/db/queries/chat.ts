import type { ChatView, TurnView } from '../../contracts/chat.ts';
import type { Actor } from '../../domain/actor.ts';
import { DomainError } from '../../domain/errors.ts';
import { sql, type Db } from '../orm.ts';
import { instantText, ownedRow } from './page.ts';

/** A conversation shows its newest entries, at most this many. */
const shownEntries = 200;

interface ChatRow extends Omit<ChatView, 'links' | 'entries' | 'requestId'> {
  consumerId: string;
  entries: ChatView['entries'];
}

/** A conversation, oldest entry first. @throws not_found, not_owner */
export async function chatFor(em: Db, actor: Actor, requestId: string): Promise<ChatView> {
  const [row] = await sql<ChatRow>(
    em,
    `select r.consumer_id as "consumerId", r.status, r.draft_hash as "draftHash", r.missing,
       coalesce((select jsonb_agg(to_jsonb(entry) - 'written' order by entry.written, entry."from" desc) from (
         select * from (
           select m.id, 'person' as "from", m.text, 'sent' as status, m.turn_id as "turnId", ${instantText('m.created_at')} as at, m.created_at as written
             from message m where m.stream = 'request/' || r.id
           union all
           select t.id, 'assistant', t.reply, t.status, t.id, ${instantText('coalesce(t.finished_at, t.created_at)')}, coalesce(t.finished_at, t.created_at)
             from turn t where t.stream = 'request/' || r.id
         ) both_sides order by written desc limit ${shownEntries}) entry), '[]') as entries
     from request r where r.id = ?`,
    [requestId],
  );
  const { consumerId: _consumer, ...chat } = ownedRow(row, actor, ({ consumerId }) => [consumerId]);
  return {
    requestId,
    ...chat,
    links: { self: `/api/v1/chat/${requestId}`, request: `/api/v1/requests/${requestId}`, events: '/api/v1/events' },
  };
}

/** One answer. @throws not_found, not_owner */
export async function turnFor(em: Db, actor: Actor, requestId: string, turnId: string): Promise<TurnView> {
  const [row] = await sql<TurnView & { consumerId: string }>(
    em,
    `select r.consumer_id as "consumerId", t.id, t.status, t.intent, t.reply, ${instantText('t.created_at')} as "createdAt", ${instantText('t.finished_at')} as "finishedAt"
     from turn t join request r on 'request/' || r.id = t.stream where t.id = ? and r.id = ?`,
    [turnId, requestId],
  );
  const { consumerId: _consumer, ...turn } = ownedRow(row, actor, ({ consumerId }) => [consumerId]);
  return turn;
}

/**
 * Stores a message before the workflow hears of it; a retried command stores it once.
 * @throws not_found when the id is taken by somebody else's message
 */
export async function storeMessage(em: Db, message: { id: string; requestId: string; author: Actor; text: string }): Promise<void> {
  const { id, requestId, author, text } = message;
  const rows = await sql(
    em,
    `insert into message (id, stream, author_id, author_role, text) values (?, ?, ?, ?, ?)
     on conflict (id) do update set id = excluded.id where message.author_id = excluded.author_id returning id`,
    [id, `request/${requestId}`, author.id, author.role, text],
  );
  if (rows.length === 0) throw new DomainError('not_found');
}
