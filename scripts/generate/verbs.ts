import type { Machine } from '../../src/domain/machine.ts';
import type { Verb, Verbs } from '../../src/domain/verb.ts';

type AnyMachine = Machine<string, string, string>;

/** A noun's verbs, and the machine of their moves. */
export interface VerbTable {
  noun: string;
  verbs: Verbs;
  machines: readonly AnyMachine[];
}

/** One table per noun: who may use a verb and from which status, its command and route, and who is notified. */
export function verbsPage(tables: readonly VerbTable[]): string {
  return [
    '# Verbs',
    '',
    'Printed from the tables of verbs in `src/domain` by `npm run generate`: do not edit. Each verb is an Update of its name. A verb without a path has a route of its own in `/api/docs`.',
    ...tables.flatMap(section),
    '',
  ].join('\n');
}

function section({ noun, verbs, machines }: VerbTable): string[] {
  const rows = Object.entries(verbs).map(
    ([name, verb]) =>
      `| \`${name}\` | ${verb.says} | ${verb.by.join(', ')} | ${fromOf(verb, machines).join(', ') || 'see its rule'} | ${verb.route ? `\`POST ${verb.route.path}\`` : ''} | ${(verb.notifies ?? []).join(', ')} |`,
  );
  return ['', `## ${noun}`, '', '| verb | what | who | from | route | tells |', '| --- | --- | --- | --- | --- | --- |', ...rows];
}

function fromOf({ move, from = [] }: Verb, machines: readonly AnyMachine[]): readonly string[] {
  return move === undefined ? from : (machines.find(({ moves }) => move in moves)?.moves[move]?.from ?? []);
}
