// A verb is declared once: what somebody outside may ask of a stream. From the tables of verbs derive the commands, the Updates, the
// handlers of the runs, the routes with their words, the links after a refusal and the kinds of notifications.
// The rules (decide), the state (evolve) and the rows (projections) are written by hand.
import type { ActorRole } from './actor.ts';
import type { CommandMeta } from './command.ts';
import type { ErrorCode } from './errors.ts';

export interface Verb {
  /** Who may: the roles that the route lets in. Which of two sides may is decided by the rule. */
  by: readonly ActorRole[];
  /** What the Web UI says beside the Update. */
  says: string;
  /** What the command carries beside `CommandMeta`; only a type: `carries<{ offerId: string }>()`. */
  carries?: object | undefined;
  /** The move of the noun's machine that it makes; its statuses are the machine's. */
  move?: string;
  /** The statuses from which it is possible, where it makes no move. */
  from?: readonly string[];
  /** The kinds of notifications that it causes. */
  notifies?: readonly string[];
  /** How it is called over HTTP; absent where a route does more than to send the command, and is written by hand. */
  route?: VerbRoute;
}

export interface VerbRoute {
  /** Below /api/v1, in Express notation. */
  path: `/${string}`;
  summary: string;
  description?: string;
  /** Refusals beside those that every verb of the noun has. */
  errors?: readonly ErrorCode[];
  /** What it makes in some cases: its answer is then 201 with a Location. */
  mayCreate?: string;
}

export type Verbs = Readonly<Record<string, Verb>>;

/** Says what a command carries. Nothing is there at run time. */
export const carries = <F extends object>(): F | undefined => undefined;

/** What a verb's command carries beside `CommandMeta`. */
export type FieldsOf<V> = V extends { carries: (infer F extends object) | undefined } ? F : object;

/** The commands of a table: `do` is the name of the verb. */
export type CommandOf<T extends Verbs> = { [D in keyof T & string]: CommandMeta & { do: D } & FieldsOf<T[D]> }[keyof T & string];

/** The kinds of notifications that a table's verbs cause. */
export type KindOf<T extends Verbs> = { [D in keyof T]: T[D] extends { notifies: readonly (infer K)[] } ? K : never }[keyof T];
