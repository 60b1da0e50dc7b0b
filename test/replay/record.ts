// `npm run histories`: plays every path on real servers and keeps the histories of its runs. Run it when workflow code has changed
// on purpose: the histories of this release take the place of its own. Those of earlier releases have to replay until a release changes
// the shape of the runs (`runShape` in src/contracts/search-attributes.ts) and replaces the runs themselves.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Mailer } from '../../src/integrations/mail.ts';
import { eventually } from '../support/http.ts';
import { startPaidSuite } from '../support/paid.ts';
import { seedProviders, soonSlot } from '../support/play.ts';
import { seedPlace } from '../support/seed.ts';
import { startServers } from '../support/servers.ts';
import { startSuite, type Suite, type SuiteOptions } from '../support/suite.ts';
import { paid, paidPolicy } from './scenarios.booking.ts';
import { hasty, hastyPolicy, patient, type Recording, type Stage } from './scenarios.ts';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string };
/** What earlier releases have recorded stays: runs of theirs may still be alive. */
const folder = join(import.meta.dirname, 'histories', version);
const mailer: Mailer = { send: () => Promise.resolve('accepted'), close() {} };

/** One scenario after the other, each with its own people. */
async function record<S extends Suite>(
  start: (options: SuiteOptions) => Promise<S>,
  scenarios: readonly ((stage: Stage & { suite: S }) => Promise<Recording[]>)[],
  { policy, when = {} }: { policy: object; when?: object },
): Promise<void> {
  const suite = await start({ policy, deps: { mailer } });
  try {
    await seedPlace(suite.orm);
    const recordings: Recording[] = [];
    for (const scenario of scenarios) {
      const stage = { suite, providers: await seedProviders(suite), consumer: await suite.as(scenario.name, 'consumer'), when };
      recordings.push(...(await scenario(stage)));
      // The next one finds its own providers only.
      await suite.rows(`update provider set status = 'closed'`);
    }
    for (const recording of recordings) await keep(suite, recording);
  } finally {
    await suite.close();
  }
}

async function keep({ temporal }: Suite, { name, workflowId, runId }: Recording): Promise<void> {
  const handle = temporal.workflow.getHandle(workflowId, runId);
  await eventually(
    async () => (await handle.describe()).status.name,
    (status) => status !== 'RUNNING',
    { what: `the end of ${name}` },
  );
  const { events } = JSON.parse(historyToJSON(await handle.fetchHistory()), anonymous) as { events: object[] };
  // One event per line: a difference shows which.
  const text = `{"workflowId":${JSON.stringify(workflowId)},"history":{"events":[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]}}\n`;
  writeFileSync(join(folder, `${name}.json`), text);
  process.stdout.write(`${name.padEnd(34)} ${events.length} events\n`);
}

/** Which machine recorded it, and where its code lay, is nobody's business; replay needs neither. */
function anonymous(key: string, value: unknown): unknown {
  if (key === 'identity') return 'recorder';
  return key === 'stackTrace' ? '' : value;
}

const servers = await startServers();
Object.assign(process.env, servers.coordinates);
try {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { policy, when } = soonSlot([20_000, 21_000]);
  await record(startSuite, patient, { policy, when });
  await record(startSuite, hasty, { policy: hastyPolicy });
  await record(startPaidSuite, paid, { policy: paidPolicy });
} finally {
  await servers.stop();
}
process.exit(0);
