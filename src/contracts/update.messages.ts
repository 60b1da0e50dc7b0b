import type { UpdateDefinition } from '@temporalio/common';
import { defineUpdate } from '@temporalio/workflow';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';
import type { FieldsOf, Verbs } from '../domain/verb.ts';

/** The Updates of a table of verbs, by the verb's name. F: fields that every command has beside those of its verb. */
export type UpdatesOf<T extends Verbs, F extends object = object> = {
  [D in keyof T & string]: UpdateDefinition<CommandAnswer, [CommandMeta & FieldsOf<T[D]> & F], string>;
};

/**
 * One Update per verb, with the verb's name. The name never changes, because recorded histories and operators use it.
 * @param named names of Updates whose verb another table of the same run has, too
 */
export const updatesOf = <T extends Verbs, F extends object = object>(
  verbs: T,
  named: { [D in keyof T & string]?: string } = {},
): UpdatesOf<T, F> =>
  Object.fromEntries(Object.keys(verbs).map((name) => [name, defineUpdate(named[name as keyof T & string] ?? name)])) as UpdatesOf<T, F>;
