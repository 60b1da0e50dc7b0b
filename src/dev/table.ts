import { relative } from 'node:path';
import { projectRoot } from './home.ts';
import { people } from './people.ts';
import type { Say } from './progress.ts';
import type { StackFile } from './stack-file.ts';

/** Prints the addresses and tokens of a stack that has just started. */
export function printTable({ urls, tokens, home, supervisor }: StackFile, stackFile: string, say: Say): void {
  const rows: [string, string | undefined][] = [
    ['API', urls.api && `${urls.api}/api/v1`],
    ['API docs', urls.docs],
    ['Temporal Web UI', urls.temporalUi ?? `(see your Temporal server at ${urls.temporal})`],
    ['Logs', `${shown(home)}/logs (supervisor pid ${supervisor.pid})`],
  ];
  const demo: [string, string | undefined][] = [
    ['consumer', tokens.consumer],
    ...people.providers.map(({ subject }, index): [string, string | undefined] => [
      subject.replace('demo-', ''),
      tokens.providers?.[index],
    ]),
    ['operator', tokens.operator],
  ];
  say('');
  for (const [name, value] of rows) say(`  ${name.padEnd(16)} ${value ?? '-'}`);
  if (!tokens.consumer) return;
  const file = shown(stackFile);
  say('');
  say('  Demo tokens (30 days):');
  for (const [name, token] of demo) say(`  ${name.padEnd(16)} ${token ?? '-'}`);
  say('');
  say('  A token for a user of your own: npm run token -- --subject alice --name "Alice Doe" --email alice@example.test');
  say('');
  say('  Try it:');
  say(`    TOKEN=$(node -p 'JSON.parse(require("fs").readFileSync("${file}")).tokens.consumer')`);
  say(`    curl -sS ${urls.api}/api/v1/chat -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $(date +%s)" \\`);
  say(`      -H 'Content-Type: application/json' -d '{"message":"My kitchen sink in Park Slope is leaking, can somebody come tomorrow?"}'`);
  say('');
}

/** A path relative to the checkout if it lies inside. */
function shown(path: string): string {
  const inside = relative(projectRoot, path);
  return inside.startsWith('..') ? path : inside;
}
