import type { Actor } from './actor.ts';
import type { ErrorCode, RefusalDetail } from './errors.ts';

/** Fields that every written event has beside its own. */
export interface EventMeta {
  /** Position in its stream, from 1. */
  seq: number;
  commandId: string;
  /** When the event was decided, RFC 3339 UTC. */
  at: string;
  by: Actor;
}

/** @typeParam K kinds of notifications of the noun; readers of all nouns use any text */
export interface EventBase<K extends string = string> {
  type: string;
  /** Set on the first events of another stream: that stream is opened in the same transaction. */
  stream?: string;
  /** Ids of the users who may see the event, in their realtime channels and timelines. Operators see all events. */
  audience?: string[];
  /** Inbox rows that are written in the same transaction: the recipient's id and the kind. */
  notify?: { to: string; kind: K }[];
  /** The reason in the actor's words, e.g. of an intervention or a cancellation. */
  reason?: string;
}

/** Inbox rows of one kind, for an event's `notify`. @param to ids of users */
export const tell = <K extends string>(kind: K, ...to: string[]): { to: string; kind: K }[] => to.map((one) => ({ to: one, kind }));

export type Recorded<E extends EventBase> = E & EventMeta;

/** Written when a fact (a Signal) is not possible any more. The event changes nothing and keeps the Signal visible. */
export interface CommandRefused extends EventBase {
  type: 'command.refused';
  command: string;
  code: ErrorCode;
}

/** The most events of one stream that a read returns. The run asks again until it has all of them. */
export const catchUpRows = 500;

/** A stream up to the position that its reader knows; 0 for none. @property stream `<noun>/<id>` */
export interface Known {
  stream: string;
  after: number;
}

/** The events of one stream that its reader did not know, oldest first. */
export interface StreamEvents<E extends EventBase = EventBase> {
  stream: string;
  events: Recorded<E>[];
}

/** The events that one command writes to one stream, at `after + 1`. */
export interface StreamPart<E extends EventBase = EventBase> extends Known {
  events: E[];
}

/** The answer of an append; db/timeline.ts explains the cases. */
export type Appended<E extends EventBase = EventBase> =
  | { is: 'written' }
  | { is: 'behind'; streams: StreamEvents<E>[] }
  | { is: 'replayed'; events: Recorded<E>[] }
  | { is: 'refused'; code: ErrorCode; detail: RefusalDetail };

/** The stream's own events as they stand on the timeline. Events that open another stream are left out. @param after position before them */
export function recorded<E extends EventBase>(
  events: readonly E[],
  after: number,
  meta: { commandId: string; at: string; by: Actor },
): Recorded<E>[] {
  return events.filter(({ stream }) => !stream).map((event, index) => ({ ...event, ...meta, seq: after + 1 + index }));
}

/** The part of each folded state that the actor's loop needs. Continue-as-new carries the state, so `applied` is bounded. */
export interface StreamState {
  status: string;
  applied: string[];
}

const rememberedCommands = 200;

/** Adds a command id and keeps the newest 200. For older ids, `append` finds the command on the timeline. */
export function remember(applied: readonly string[], commandId: string): string[] {
  if (applied.at(-1) === commandId) return applied as string[];
  return [...applied, commandId].slice(-rememberedCommands);
}
