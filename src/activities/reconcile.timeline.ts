import { IsolationLevel } from '@mikro-orm/postgresql';
import { wantsRun } from '../domain/closing.ts';
import type { EventBase, Recorded } from '../domain/timeline.ts';
import type { Db, Orm } from '../db/orm.ts';
import { eventsOf, isOpen } from '../db/timeline.ts';
import { streamKinds } from './stream-kinds.ts';

export interface Disagreement {
  stream: string;
  between: 'row and timeline' | 'run and timeline' | 'timeline and its noun';
  detail: string;
}

export interface TimelineCheck {
  found: Disagreement[];
  /** Whether a run may be started from this timeline. */
  sound: boolean;
  /** Position of the timeline's last event. */
  seq: number;
}

/** Checks one timeline for gaps and compares it with its rows, all as they stood at one instant. */
export function checkTimeline(orm: Orm, stream: string, open: boolean): Promise<TimelineCheck> {
  return orm.em
    .fork()
    .transactional((tx) => compare(tx as Db, stream, open), { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true });
}

async function compare(em: Db, stream: string, listedOpen: boolean): Promise<TimelineCheck> {
  const [noun, id] = stream.split('/') as [string, string];
  const kind = streamKinds[noun];
  const events = await wholeTimeline(em, stream);
  const seq = events.at(-1)?.seq ?? 0;
  const broken = (detail: string): TimelineCheck => ({ found: [{ stream, between: 'timeline and its noun', detail }], sound: false, seq });

  if (events.length === 0) return broken('the stream is open and has no events');
  const gap = events.findIndex((event, index) => event.seq !== index + 1);
  if (gap >= 0) return broken(`position ${gap + 1} is missing`);
  if (!kind) return { found: [], sound: true, seq }; // rows that no workflow owns have no fold
  let expected: Record<string, string>;
  try {
    expected = kind.expected(events);
  } catch (error) {
    return broken((error as Error).message);
  }
  // The stream may have been opened or ended since the list was read, so the list is asked again here.
  const ended = !wantsRun(events);
  const open = await isOpen(em, stream);
  if (open === ended)
    return broken(
      open ? 'it has ended, but stands in the list of open streams' : 'it has not ended, but is not in the list of open streams',
    );

  const actual = await kind.actual(em, id);
  const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])].filter((key) => expected[key] !== actual[key]);
  const found = keys.map((key) => ({
    stream,
    between: 'row and timeline' as const,
    detail: `${key}: row ${actual[key] ?? 'missing'}, timeline ${expected[key] ?? 'missing'}`,
  }));
  return { found, sound: listedOpen && open, seq };
}

/** All events of a stream, read page by page. */
export async function wholeTimeline<E extends EventBase>(em: Db, stream: string): Promise<Recorded<E>[]> {
  const events: Recorded<E>[] = [];
  for (;;) {
    const page: Recorded<E>[] = await eventsOf(em, stream, events.at(-1)?.seq ?? 0);
    if (page.length === 0) return events;
    events.push(...page);
  }
}
