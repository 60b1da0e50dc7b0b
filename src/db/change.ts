// Rows that no workflow owns: changed by the API, on a timeline all the same.
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
   * Changes the rows and says what happened: bodies go into rows, ids and field names into events. Nothing to say is
   * nothing to write. Throws the refusal.
   * @param seq where the stream stands; compare with If-Match here, in the same transaction
   */
  work: (tx: Db, seq: number) => Promise<E[]>;
}

/** One transaction: wait for those before, look, change, append. The same command twice changes once. */
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
