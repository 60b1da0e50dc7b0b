import type { Actor } from './actor.ts';
import type { ErrorCode, RefusalDetail } from './errors.ts';

/** What every written event carries beside its own fields. */
export interface EventMeta {
  /** Position in its stream, from 1. */
  seq: number;
  commandId: string;
  /** When it was decided, RFC 3339 UTC. */
  at: string;
  by: Actor;
}

/** @typeParam K the kinds of notifications that the noun knows; readers of any event see a text */
export interface EventBase<K extends string = string> {
  type: string;
  /** Opens another stream in the same transaction (only its first events). */
  stream?: string;
  /** Users who may see it. Nobody else's realtime channel or timeline shows it; operators see all. */
  audience?: string[];
  /** Inbox rows written in the same transaction: kind by recipient. */
  notify?: { to: string; kind: K }[];
  /** Why, in the actor's words: operators and cancellations. */
  reason?: string;
}

/** Inbox rows of one kind, for an event's `notify`. @param to ids of users */
export const tell = <K extends string>(kind: K, ...to: string[]): { to: string; kind: K }[] => to.map((one) => ({ to: one, kind }));

export type Recorded<E extends EventBase> = E & EventMeta;

/** Written when a fact (signal) arrived that no longer fitted: it stays visible and changes nothing. */
export interface CommandRefused extends EventBase {
  type: 'command.refused';
  command: string;
  code: ErrorCode;
}

/** Events returned at once to a run that is behind; it asks again until it has them all. */
export const catchUpRows = 500;

/** What an append answers; see db/timeline.ts. */
export type Appended<E extends EventBase> =
  | { is: 'written' | 'behind'; events: Recorded<E>[] }
  | { is: 'replayed'; events: Recorded<E>[] }
  | { is: 'refused'; code: ErrorCode; detail: RefusalDetail };

/** The part of every folded state that the loop needs: it is carried across continue-as-new, so it is bounded. */
export interface StreamState {
  status: string;
  applied: string[];
}

const rememberedCommands = 200;

/** Remembers a command id; the timeline itself answers for older ones. */
export function remember(applied: readonly string[], commandId: string): string[] {
  if (applied.at(-1) === commandId) return applied as string[];
  return [...applied, commandId].slice(-rememberedCommands);
}
