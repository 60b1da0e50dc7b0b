// `npm run reconcile`: checks and repairs now, and prints what it found. Exit 1 when something disagrees or could not be
// checked.
import { reconcile } from './activities/reconcile.ts';
import { loadToolConfig } from './config.ts';
import { openOrm } from './db/orm.ts';
import { temporalClient } from './temporal/client.ts';

const config = loadToolConfig();
const orm = await openOrm({ databaseUrl: config.database.url, poolMax: 2, applicationName: 'proxie-reconcile' });
const temporal = temporalClient(config.temporal);
try {
  const report = await reconcile({ orm, temporal }, { quietMs: 0, newestEvents: 100_000 });
  if (process.argv.includes('--json')) console.log(JSON.stringify(report, null, 2));
  else {
    console.log(`${report.checked} streams checked`);
    for (const stream of report.started) console.log(`started     ${stream}`);
    for (const stream of report.caughtUp) console.log(`caught up   ${stream}`);
    for (const stream of report.told) console.log(`told        ${stream}`);
    for (const { stream, between, detail } of report.disagreements) console.log(`DISAGREES   ${stream}  ${between}: ${detail}`);
    for (const { stream, error } of report.failed) console.log(`NOT CHECKED ${stream}  ${error}`);
    console.log(report.disagreements.length ? `${report.disagreements.length} disagreements` : 'no disagreements');
  }
  process.exitCode = report.disagreements.length + report.failed.length ? 1 : 0;
} finally {
  await temporal.connection.close();
  await orm.close(true);
}
