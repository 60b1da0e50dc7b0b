import type { Machine } from '../../src/domain/machine.ts';

type AnyMachine = Machine<string, string, string>;

/** One Mermaid diagram per machine. Moves with the same start and end share an arrow. */
export function stateMachinesPage(machines: readonly AnyMachine[]): string {
  return [
    '# State machines',
    '',
    'Printed from `src/domain/machines.ts` by `npm run generate`: do not edit. The same tables guard the commands, the rows and the API.',
    ...machines.flatMap(section),
    '',
  ].join('\n');
}

function section(machine: AnyMachine): string[] {
  const { noun, statuses, initial, terminal } = machine;
  return [
    '',
    `## ${noun}`,
    '',
    `Begins \`${initial}\`; ends ${terminal.map((status) => `\`${status}\``).join(', ')}.`,
    '',
    '```mermaid',
    'stateDiagram-v2',
    `  [*] --> ${initial}`,
    ...arrows(machine).map(({ from, to, moves }) => `  ${from} --> ${to}: ${moves.join(', ')}`),
    ...terminal.map((status) => `  ${status} --> [*]`),
    '```',
    '',
    '| from | move | to |',
    '| --- | --- | --- |',
    ...statuses.flatMap((status) => machine.allowed(status).map((move) => `| ${status} | ${move} | ${machine.next(status, move)} |`)),
  ];
}

function arrows(machine: AnyMachine) {
  const found = new Map<string, { from: string; to: string; moves: string[] }>();
  for (const from of machine.statuses) {
    for (const move of machine.allowed(from)) {
      const to = machine.next(from, move);
      const arrow = found.get(`${from} ${to}`) ?? { from, to, moves: [] };
      arrow.moves.push(move);
      found.set(`${from} ${to}`, arrow);
    }
  }
  return [...found.values()];
}
