// The process of one side: the servers, the worker and the API of one checkout, and the driver of this checkout. Its CPU meter
// sees only its own programs. `node bench/side.ts <checkout>`, started by sides.ts.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from '@temporalio/client';
import { eventually } from '../test/support/http.ts';
import { anyPort } from '../test/support/ports.ts';
import type { startServers } from '../test/support/servers.ts';
import { startSuite } from '../test/support/suite.ts';
import { cpuMeter } from './cpu.ts';
import { lifePolicy } from './life.ts';
import { hearing } from './notices.ts';
import { player } from './round.ts';
import type { FromSide, RoundOrder } from './side.protocol.ts';
import { startApiProcess, startWorkerProcess, through, type Spawned } from './spawned.ts';

const root = process.argv[2]!;
const tell = (message: FromSide) => void process.send?.(message);
const endings: (() => Promise<unknown>)[] = [];

async function start(): Promise<(order: RoundOrder) => Promise<void>> {
  // The checkout migrates its own database and bundles its own workflows.
  const own = (await import(pathToFileURL(join(root, 'test/support/servers.ts')).href)) as { startServers: typeof startServers };
  const servers = await own.startServers({ durable: true });
  endings.unshift(() => servers.stop());
  Object.assign(process.env, servers.coordinates);
  const made = await startSuite({ worker: false, api: false });
  endings.unshift(() => made.close());
  // The servers have registered the search attributes of the checkout in their first namespace.
  const local = { ...made, namespace: servers.coordinates.PROXIE_TEST_TEMPORAL_NAMESPACE };
  const metricsPort = await anyPort();
  const worker = startWorkerProcess(local, { ...lifePolicy, WORKER_METRICS_PORT: String(metricsPort) }, root);
  endings.unshift(() => worker.stop());
  const api: Spawned & { url: string } = await startApiProcess(local, lifePolicy, root);
  endings.unshift(() => api.stop());
  const suite = through(local, api.url);
  await pauseSchedules(new Client({ connection: made.temporal.connection, namespace: local.namespace }));
  const notices = await hearing(suite.databaseUrl);
  endings.unshift(() => notices.close());
  const meter = cpuMeter({ [api.pid]: 'API', [worker.pid]: 'worker', [process.pid]: 'driver' });
  const play = player({ suite, notices, meter, metricsUrl: `http://127.0.0.1:${metricsPort}/metrics` });
  return async (order) => tell({ is: 'played', round: await play(order) });
}

/** The self-check and the imports of every five minutes would fall into a round of one side only. */
async function pauseSchedules({ schedule }: Client): Promise<void> {
  for (const id of ['proxie-reconcile', 'proxie-calendar-import']) {
    const paused = () =>
      schedule
        .getHandle(id)
        .pause('measuring')
        .then(
          () => true,
          () => false,
        );
    await eventually(paused, Boolean, { what: `the worker to make the Schedule ${id}` });
  }
}

async function stop(): Promise<never> {
  for (const end of endings) await end().catch(() => undefined);
  process.exit(0);
}

const failed = (error: unknown) => tell({ is: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) });

// Ctrl-C reaches both processes. This one ends when the bench has ended, also when the bench was killed.
process.on('SIGINT', () => undefined);
process.once('disconnect', () => void stop());
try {
  const play = await start();
  process.on('message', (order: RoundOrder) => void play(order).catch(failed));
  tell({ is: 'ready' });
} catch (error) {
  failed(error);
}
