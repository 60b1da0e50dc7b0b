import { randomUUID } from 'node:crypto';
import { sql, type Orm } from '../../src/db/orm.ts';
import { append } from '../../src/db/timeline.ts';
import type { Actor } from '../../src/domain/actor.ts';
import type { EventBase } from '../../src/domain/timeline.ts';

/**
 * Writes events that the run of a stream does not know. A worker that dies between its write and its answer leaves a run in
 * this state.
 */
export async function writeUnheard<E extends EventBase>(orm: Orm, stream: string, by: Actor, events: E[]): Promise<void> {
  const [last] = await sql<{ seq: number }>(orm.em.fork(), 'select coalesce(max(seq), 0) as seq from event where stream = ?', [stream]);
  const { is } = await append(orm, { stream, after: last!.seq, command: { id: randomUUID(), by }, at: new Date().toISOString(), events });
  if (is !== 'written') throw new Error(`nothing was written behind the run's back: ${is}`);
}
