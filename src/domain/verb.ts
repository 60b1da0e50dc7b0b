// A verb is a command that somebody outside may send to a stream. Each verb is declared once, in the table of its noun. From the tables
// derive the commands, the Updates, the handlers of the runs, the routes with their words, the links after a refusal and the kinds of
// notifications. The rules (decide), the state (evolve) and the rows (projections) are written by hand.
import type { ActorRole } from './actor.ts';
import type { CommandMeta } from './command.ts';
import type { ErrorCode } from './errors.ts';

export interface Verb {
  /** The roles that the route lets in. The rule (`decide`) checks which of the two sides may send the command. */
  by: readonly ActorRole[];
  /** The description of the Update in the Temporal Web UI. */
  says: string;
  /** Fields of the command beside `CommandMeta`, as a type only: `carries<{ offerId: string }>()`. */
  carries?: object | undefined;
  /** The move of the noun's machine that the verb makes. The machine names the statuses in which the move is possible. */
  move?: string;
  /** Statuses in which the verb is possible, for a verb without a move. */
  from?: readonly string[];
  /** Kinds of notifications that the verb causes. */
  notifies?: readonly string[];
  /** The verb's HTTP route. Absent when the route does more than send the command: such a route is written by hand. */
  route?: VerbRoute;
}

export interface VerbRoute {
  /** Below /api/v1, in Express notation. */
  path: `/${string}`;
  summary: string;
  description?: string;
  /** Codes of refusals beside those of every verb of the noun. */
  errors?: readonly ErrorCode[];
  /** What the verb may create. When it creates something, the answer is 201 with a Location. */
  mayCreate?: string;
}

export type Verbs = Readonly<Record<string, Verb>>;

/** Declares the fields of a command as a type. The value at run time is undefined. */
export const carries = <F extends object>(): F | undefined => undefined;

/** Fields of a verb's command beside `CommandMeta`. */
export type FieldsOf<V> = V extends { carries: (infer F extends object) | undefined } ? F : object;

/** The commands of a table: `do` is the name of the verb. */
export type CommandOf<T extends Verbs> = { [D in keyof T & string]: CommandMeta & { do: D } & FieldsOf<T[D]> }[keyof T & string];

/** The kinds of notifications that a table's verbs cause. */
export type KindOf<T extends Verbs> = { [D in keyof T]: T[D] extends { notifies: readonly (infer K)[] } ? K : never }[keyof T];
