import type { Machine } from '../../src/domain/machine.ts';
import type { Verb, Verbs } from '../../src/domain/verb.ts';

type AnyMachine = Machine<string, string, string>;

/** A noun's verbs, and the machine of their moves. */
export interface VerbTable {
  noun: string;
  verbs: Verbs;
  machines: readonly AnyMachine[];
}

/** The Updates of the nouns whose Updates are not all named like their verbs, by noun and verb. */
export type UpdateNames = Readonly<Record<string, Readonly<Record<string, { name: string }>>>>;

/** One table per noun: who may use a verb and from which status, its command and route, and who is notified. */
export function verbsPage(tables: readonly VerbTable[], updates: UpdateNames): string {
  return [
    '# Verbs',
    '',
    'Printed from the tables of verbs in `src/domain` by `npm run generate`: do not edit. Each verb is an Update of its name, unless another name stands beside it. A verb without a path has a route of its own in `/api/docs`.',
    ...tables.flatMap((table) => section(table, updates[table.noun])),
    '',
  ].join('\n');
}

function section({ noun, verbs, machines }: VerbTable, updates: UpdateNames[string] = {}): string[] {
  const named = (verb: string) => ((updates[verb]?.name ?? verb) === verb ? '' : ` (Update \`${updates[verb]!.name}\`)`);
  const rows = Object.entries(verbs).map(
    ([name, verb]) =>
      `| \`${name}\`${named(name)} | ${verb.says} | ${verb.by.join(', ')} | ${fromOf(verb, machines).join(', ') || 'see its rule'} | ${verb.route ? `\`POST ${verb.route.path}\`` : ''} | ${(verb.notifies ?? []).join(', ')} |`,
  );
  return ['', `## ${noun}`, '', '| verb | what | who | from | route | tells |', '| --- | --- | --- | --- | --- | --- |', ...rows];
}

function fromOf({ move, from = [] }: Verb, machines: readonly AnyMachine[]): readonly string[] {
  return move === undefined ? from : (machines.find(({ moves }) => move in moves)?.moves[move]?.from ?? []);
}
