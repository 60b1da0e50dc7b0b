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

function tableOf({ run, sql }: BookedRequestCost): string {
  const rows: [string, number][] = [
    ...(['actions', 'events', 'bytes', 'workflowTasks'] as const).map((what): [string, number] => [what, run[what]]),
    ...Object.entries(run.billed).map(([what, count]): [string, number] => [`  ${what}`, count]),
  ];
  const wide = Math.max(...rows.map(([what]) => what.length));
  const lines = rows.map(([what, count]) => what.padEnd(wide) + String(count).padStart(10));
  return [...lines, '', `SQL: ${sql.writingTransactions} writing transactions, ${sql.appends} of them appends to a timeline`].join('\n');
}
