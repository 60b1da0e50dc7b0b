// The streams of one run. The run takes one command at a time, whichever stream it concerns, and writes all its events in one append.
import { ActivityFailure, condition, isCancellation, proxyLocalActivities } from '@temporalio/workflow';
import type { AppendActivities } from '../activities/timeline.ts';
import {
  catchUpRows,
  recorded,
  type Appended,
  type EventBase,
  type EventMeta,
  type StreamEvents,
  type StreamPart,
} from '../domain/timeline.ts';
import type { CommandMeta } from '../domain/command.ts';
import { attention, type Attention } from './attention.ts';
import { broken } from './refusal.ts';

// The activity is retried inside the workflow task, so a task can wait a minute for a database that is away. Tries are at most a second
// apart, so that the run goes on soon after the database is back.
const { append, readTimelines } = proxyLocalActivities<AppendActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', maximumInterval: '1s' },
});

/** One stream of the run, as the run's loop sees it. */
export interface Hosted {
  readonly stream: string;
  readonly seq: number;
  /** Folds the events that the stream lacks. @throws ApplicationFailure when they cannot be folded; the stream then stays as it was */
  fold(events: StreamEvents['events']): void;
}

/** What one command writes. */
export interface Message {
  parts: [StreamPart, ...StreamPart[]];
  command: CommandMeta;
  at: string;
}

export interface Streams {
  readonly attention: Attention;
  /** Adds a stream. If it is added while others are folded, its events are read in the same turn, unless that turn has written them. */
  add(stream: Hosted): void;
  /** Runs `work` when its turn comes. Everything that decides or folds runs in a turn. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Writes a message. Folds what was written, or what the run did not know. */
  write(message: Message): Promise<Appended>;
  /** Reads and folds what the run lacks of all its streams. Writes nothing. */
  learn(): Promise<void>;
  /** Waits until an operator has repaired something and sent `catchUp`. */
  repaired(): Promise<void>;
  /** Position of a stream, 0 when the run does not host it. */
  positionOf(stream: string): number;
  /** Whether no command is in flight. */
  idle(): boolean;
}

/**
 * @param onFold called after a message was folded, to update what the Web UI shows. Must not wait.
 * @param causes why the run is on the operators' list, when it continues an earlier one
 */
export function streams(onFold: () => void = () => {}, causes?: readonly string[]): Streams {
  const hosted = new Map<string, Hosted>();
  const unread = new Set<Hosted>();
  const flags = attention(causes);
  let queue: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let wakeUps = 0;

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    waiting += 1;
    const turn = queue.then(work);
    queue = turn.then(
      () => (waiting -= 1),
      () => (waiting -= 1),
    );
    return turn;
  }

  /** Folds events of several streams. A stream that cannot fold its own is flagged and stops no other. @returns the failures by stream */
  function fold(found: readonly StreamEvents[]): Map<string, unknown> {
    const failures = new Map<string, unknown>();
    for (const { stream, events } of found) {
      const target = hosted.get(stream);
      if (!target) continue;
      unread.delete(target);
      try {
        target.fold(events);
        flags.flag(stream, false);
      } catch (error) {
        flags.flag(stream);
        failures.set(stream, error);
      }
    }
    onFold();
    return failures;
  }

  /** Reads page by page: the run must not decide on half a timeline. Folding may add streams, which are read as well. */
  async function read(wanted: Iterable<Hosted>): Promise<void> {
    for (let next = [...wanted]; next.length > 0;) {
      const known = next.map(({ stream, seq }) => ({ stream, after: seq }));
      for (const stream of next) unread.delete(stream);
      const found = await readTimelines.executeWithOptions(
        { summary: `read ${next.map(({ stream }) => stream).join(', ')}`.slice(0, 180) },
        [known],
      );
      const before = new Map(next.map((stream) => [stream, stream.seq]));
      fold(found);
      // A stream without unknown events is what its timeline says: whatever it was flagged for has been repaired.
      for (const { stream } of next) if (!found.some((one) => one.stream === stream)) flags.flag(stream, false);
      const more = next.filter((one) => one.seq > before.get(one)! && fullPage(found, one));
      next = [...new Set([...more, ...unread])];
    }
  }

  const fullPage = (found: readonly StreamEvents[], { stream }: Hosted) =>
    found.some((one) => one.stream === stream && one.events.length === catchUpRows);

  async function write({ parts, command, at }: Message): Promise<Appended> {
    const [{ stream, after, events }, ...also] = parts;
    const { id, by, onBehalfOf, reason } = command;
    const input = { stream, after, events, ...(also.length && { also }), command: { id, by, onBehalfOf, reason }, at };
    let result: Appended;
    try {
      result = await append.executeWithOptions({ summary: summaryOf(parts) }, [input]);
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      throw broken(stream, error);
    }
    let failures = new Map<string, unknown>();
    if (result.is === 'written') failures = fold(writtenBy(parts, { commandId: id, at, by }));
    if (result.is === 'behind') {
      const before = result.streams.filter((one) => (hosted.get(one.stream)?.seq ?? Infinity) < one.events.at(-1)!.seq);
      // A stream of another run has taken the place.
      if (before.length === 0) return { is: 'refused', code: 'timeline_busy', detail: { retryAfterS: 1 } };
      failures = fold(result.streams);
      const full = result.streams.filter((one) => one.events.length === catchUpRows);
      await read([...full.flatMap((one) => hosted.get(one.stream) ?? []), ...unread]);
    }
    if (failures.has(stream)) throw failures.get(stream);
    return result.is === 'behind' && failures.size > 0 ? { is: 'refused', code: 'stream_parked', detail: {} } : result;
  }

  return {
    attention: flags,
    add(stream) {
      hosted.set(stream.stream, stream);
      if (stream.seq === 0) unread.add(stream);
    },
    inTurn,
    write,
    async learn() {
      await inTurn(() => read(hosted.values()));
      wakeUps += 1;
    },
    async repaired() {
      const before = wakeUps;
      await condition(() => wakeUps > before);
    },
    positionOf: (stream) => hosted.get(stream)?.seq ?? 0,
    idle: () => waiting === 0,
  };
}

/** What a message has written, by stream: events that open another stream belong to that stream. */
function writtenBy(parts: readonly StreamPart[], meta: Pick<EventMeta, 'commandId' | 'at' | 'by'>): StreamEvents[] {
  return parts.flatMap(({ stream, after, events }) => {
    const opened = new Map<string, EventBase[]>();
    for (const { stream: name, ...event } of events) if (name) opened.set(name, [...(opened.get(name) ?? []), event]);
    return [
      { stream, events: recorded(events, after, meta) },
      ...[...opened].map(([name, own]) => ({ stream: name, events: recorded(own, 0, meta) })),
    ];
  });
}

/** The types of a message's events, after the noun of their stream when the message concerns several. */
export function summaryOf(parts: readonly StreamPart[]): string {
  const types = parts.flatMap(({ events }) => events.map(({ type }) => type));
  const nouns = new Set(
    parts.flatMap(({ stream, events }) => [stream, ...events.flatMap((event) => event.stream ?? [])]).map((name) => name.split('/')[0]),
  );
  return `${nouns.size > 1 ? `${[...nouns].join(' + ')}: ` : ''}${types.join(', ')}`.slice(0, 180);
}
