import type { UpdateDefinition } from '@temporalio/common';
import { defineUpdate } from '@temporalio/workflow';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';
import type { FieldsOf, Verbs } from '../domain/verb.ts';

/** The Updates of a table of verbs, by the verb's name. */
export type UpdatesOf<T extends Verbs> = {
  [D in keyof T & string]: UpdateDefinition<CommandAnswer, [CommandMeta & FieldsOf<T[D]>], string>;
};

/** One Update per verb, with the verb's name. The name never changes, because recorded histories and operators use it. */
export const updatesOf = <T extends Verbs>(verbs: T): UpdatesOf<T> =>
  Object.fromEntries(Object.keys(verbs).map((name) => [name, defineUpdate(name)])) as UpdatesOf<T>;
