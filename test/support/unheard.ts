import { randomUUID } from 'node:crypto';
import { sql, type Orm } from '../../src/db/orm.ts';
import { append } from '../../src/db/timeline.ts';
import type { Actor } from '../../src/domain/actor.ts';
import type { EventBase } from '../../src/domain/timeline.ts';

/** Writes what a stream's run does not hear of: as a worker leaves it that dies between its write and its answer. */
export async function writeUnheard<E extends EventBase>(orm: Orm, stream: string, by: Actor, events: E[]): Promise<void> {
  const [last] = await sql<{ seq: number }>(orm.em.fork(), 'select coalesce(max(seq), 0) as seq from event where stream = ?', [stream]);
  const { is } = await append(orm, { stream, after: last!.seq, command: { id: randomUUID(), by }, at: new Date().toISOString(), events });
  if (is !== 'written') throw new Error(`nothing was written behind the run's back: ${is}`);
}
