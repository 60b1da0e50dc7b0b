// Changes rows that no workflow owns. The API changes them, and every change writes its event in the same transaction.
import { DomainError } from '../domain/errors.ts';
import type { EventBase } from '../domain/timeline.ts';
import { sql, type Db, type Orm } from './orm.ts';
import { write } from './timeline.ts';
import { inTransaction } from './transaction.ts';
import type { CommandMeta } from '../domain/command.ts';

export interface Change<E extends EventBase> {
  /** `provider/<id>` and so on. */
  stream: string;
  command: CommandMeta;
  /**
   * Changes the rows and returns the events. Bodies go into rows; ids and field names go into events. No events means that
   * nothing is written.
   * @param seq position of the stream's last event; compare it with If-Match here, in the same transaction
   * @throws the refusal
   */
  work: (tx: Db, seq: number) => Promise<E[]>;
}

/**
 * One transaction: locks the stream, reads its position, calls `work`, appends the events. A command that was already carried
 * out changes nothing.
 * @throws timeline_busy when another writer of the stream came first
 */
export async function change<E extends EventBase>(orm: Orm, { stream, command, work }: Change<E>): Promise<void> {
  const done = await inTransaction(orm, async (tx) => {
    await sql(tx, 'select pg_advisory_xact_lock(hashtextextended(?, 0))', [stream]);
    const [row] = await sql<{ seq: number; done: boolean }>(
      tx,
      `select coalesce(max(seq), 0)::int as seq, exists (select 1 from event where stream = ? and command_id = ?) as done from event where stream = ?`,
      [stream, command.id, stream],
    );
    if (row!.done) return true;
    const events = await work(tx, row!.seq);
    if (events.length) await write(tx, { stream, after: row!.seq, command, at: new Date().toISOString(), events });
    return true;
  });
  if (!done) throw new DomainError('timeline_busy', undefined, { retryAfterS: 1 });
}
