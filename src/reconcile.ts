// `npm run reconcile`: checks and repairs now, and prints what it found. Exit 1 when something disagrees or could not be checked.
// With `-- --rebuild request/<id>` it replaces one run by a new one from its timelines.
import { rebuild } from './activities/rebuild.ts';
import { reconcile } from './activities/reconcile.ts';
import { loadToolConfig } from './config.ts';
import { openOrm } from './db/orm.ts';
import { temporalClient } from './temporal/client.ts';

const config = loadToolConfig();
const orm = await openOrm({ databaseUrl: config.database.url, poolMax: 2, applicationName: 'proxie-reconcile' });
const temporal = temporalClient(config.temporal);
try {
  if (process.argv.includes('--rebuild')) await rebuildOne();
  else await check();
} finally {
  await temporal.connection.close();
  await orm.close(true);
}

/** Ends the run of one name and starts it again from its timelines. */
async function rebuildOne(): Promise<void> {
  const run = process.argv[process.argv.indexOf('--rebuild') + 1] ?? '';
  if (!/^(?:request|booking|series|enrollment)\/[0-9a-f-]{36}$/.test(run)) {
    console.log('Name one run: npm run reconcile -- --rebuild request/<id> (or series/<id>, enrollment/<id>, booking/<id> of a series)');
    process.exitCode = 2;
    return;
  }
  const runs = await rebuild({ orm, temporal }, run, { because: 'an operator asked for a new run' });
  console.log(runs ? `rebuilt     ${run}` : `${run} has no open stream, so it needs no run`);
}

async function check(): Promise<void> {
  const report = await reconcile({ orm, temporal }, { quietMs: 0, maxMoves: Infinity, newestEvents: 100_000 });
  if (process.argv.includes('--json')) console.log(JSON.stringify(report, null, 2));
  else {
    console.log(`${report.checked} streams checked`);
    for (const run of report.moved) console.log(`moved       ${run}`);
    for (const stream of report.started) console.log(`started     ${stream}`);
    for (const stream of report.caughtUp) console.log(`caught up   ${stream}`);
    for (const { stream, between, detail } of report.disagreements) console.log(`DISAGREES   ${stream}  ${between}: ${detail}`);
    for (const { stream, error } of report.failed) console.log(`NOT CHECKED ${stream}  ${error}`);
    console.log(report.disagreements.length ? `${report.disagreements.length} disagreements` : 'no disagreements');
  }
  process.exitCode = report.disagreements.length + report.failed.length ? 1 : 0;
}
