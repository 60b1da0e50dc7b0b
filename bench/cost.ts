// `npm run cost`: the cost of one booked request, from the histories of real servers. `--json` for machines.
import { startServers } from '../test/support/servers.ts';
import { measureBookedRequest, type BookedRequestCost } from './booked-request.ts';

const servers = await startServers();
Object.assign(process.env, servers.coordinates);
try {
  const cost = await measureBookedRequest();
  console.log(process.argv.includes('--json') ? JSON.stringify(cost, null, 2) : tableOf(cost));
} finally {
  await servers.stop();
}
process.exit(0);

function tableOf({ runs, sql }: BookedRequestCost): string {
  const entries = Object.entries(runs);
  const whats = [...new Set(entries.flatMap(([, { billed }]) => Object.keys(billed)))];
  const rows: [string, ...(string | number)[]][] = [
    ['', ...entries.map(([name]) => name), 'together'],
    ...(['actions', 'events', 'bytes', 'workflowTasks'] as const).map((what) =>
      withSum(
        what,
        entries.map(([, run]) => run[what]),
      ),
    ),
    ...whats.map((what) =>
      withSum(
        `  ${what}`,
        entries.map(([, { billed }]) => billed[what] ?? 0),
      ),
    ),
  ];
  const wide = Math.max(...rows.map(([what]) => what.length));
  const lines = rows.map(([what, ...cells]) => what.padEnd(wide) + cells.map((cell) => String(cell).padStart(10)).join(''));
  return [...lines, '', `SQL: ${sql.writingTransactions} writing transactions, ${sql.appends} of them appends to a timeline`].join('\n');
}

function withSum(what: string, values: number[]): [string, ...number[]] {
  return [what, ...values, values.reduce((sum, value) => sum + value, 0)];
}
