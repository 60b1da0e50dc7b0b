import type { UpdateDefinition } from '@temporalio/common';
import { defineUpdate } from '@temporalio/workflow';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';
import type { FieldsOf, Verbs } from '../domain/verb.ts';

/** The Updates of a table of verbs, by the verb's name. */
export type UpdatesOf<T extends Verbs> = {
  [D in keyof T & string]: UpdateDefinition<CommandAnswer, [CommandMeta & FieldsOf<T[D]>], string>;
};

/** One Update per verb. Its name is the verb's, for ever: recorded histories and operators call it by that. */
export const updatesOf = <T extends Verbs>(verbs: T): UpdatesOf<T> =>
  Object.fromEntries(Object.keys(verbs).map((name) => [name, defineUpdate(name)])) as UpdatesOf<T>;
