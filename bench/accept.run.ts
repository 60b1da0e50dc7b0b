// How long POST /offers/{id}/accept takes, against an Update of a workflow whose handler runs one no-op local activity.
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { proposeAll, submitRequest, untilConfirmed } from '../test/support/play.ts';
import { city, seedProvider } from '../test/support/seed.ts';
import { startSuite, type Suite } from '../test/support/suite.ts';
import { bareQueue, bareUpdate } from './bare.messages.ts';
import { startApiProcess, startBareWorkerProcess, startWorkerProcess, through } from './spawned.ts';
import { spreadOf, type Spread } from './statistics.ts';

export interface AcceptCost {
  samples: number;
  accept: Spread;
  bare: Spread;
  /** The acceptance by the bare Update: of p50, and of p10 and p90. */
  ratio: number;
  ratioP10: number;
  ratioP90: number;
}

export interface AcceptOptions {
  samples?: number;
  /** Pairs before the counting begins: connections, caches, plans and compiled code are there then. */
  warmUp?: number;
}

const offersEach = 3;
/** Before each sample: what the one before has set in motion is over. */
const restMs = 30;

/** Measures on the servers that the environment names; API, worker and bare worker are processes of their own, as in production. */
export async function measureAccept({ samples = 200, warmUp = 40 }: AcceptOptions = {}): Promise<AcceptCost> {
  const local = await startSuite({ worker: false, api: false });
  const processes = [startWorkerProcess(local), startBareWorkerProcess(local)];
  try {
    const api = await startApiProcess(local);
    processes.push(api);
    const suite = through(local, api.url);
    const times = { accept: [] as number[], bare: [] as number[] };
    for (let n = 0; n < warmUp + samples; n += 1) {
      const accept = await acceptance(suite, n);
      const bare = await bareRun(suite);
      // Each is first every other time: neither always finds the machine as the other has left it.
      for (const what of n % 2 ? (['accept', 'bare'] as const) : (['bare', 'accept'] as const)) {
        await sleep(restMs);
        const ms = await (what === 'accept' ? accept() : bare());
        if (n >= warmUp) times[what].push(ms);
      }
    }
    const [accept, bare] = [spreadOf(times.accept), spreadOf(times.bare)];
    const ratio = (of: keyof Spread) => accept[of] / bare[of];
    return { samples, accept, bare, ratio: ratio('p50'), ratioP10: ratio('p10'), ratioP90: ratio('p90') };
  } finally {
    await Promise.all(processes.map((one) => one.stop()));
    await local.close();
  }
}

/** A request with three live offers, in a place of its own so that calendars stay small. @returns accepts the best one, in milliseconds */
async function acceptance(suite: Suite, n: number): Promise<() => Promise<number>> {
  const place = { ...city, lat: -60 + (n % 240) / 2, lon: -170 + Math.floor(n / 240) };
  const providers = await Promise.all(
    Array.from({ length: offersEach }, (_, k) => seedProvider(suite.orm, { ...place, price: 11_000 + k })),
  );
  const consumer = await suite.as('consumer', 'consumer');
  const token = await suite.token('consumer', 'consumer');
  const requestId = await submitRequest(consumer, { location: { ...place, address: '1 Main Street' } });
  const [best] = await proposeAll(suite, providers, consumer, requestId);
  return async () => {
    const from = performance.now();
    await post(`${suite.url}/api/v1/offers/${best.id}/accept`, token);
    const took = performance.now() - from;
    await untilConfirmed(suite, requestId);
    return took;
  };
}

const agent = new Agent({ keepAlive: true });

/** Over one connection that is kept, by the leanest client there is: the measurement is about the server. */
function post(url: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': randomUUID(), 'content-length': '0' };
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.once('end', () =>
        response.statusCode! < 300 ? resolve() : reject(new Error(`refused with ${response.statusCode}: ${body}`)),
      );
    });
    call.once('error', reject);
    call.end();
  });
}

/** A run that has answered as many messages as the request has, and that its worker holds in its cache like it. */
async function bareRun({ temporal }: Suite): Promise<() => Promise<number>> {
  const options = { workflowId: `bare/${randomUUID()}`, taskQueue: bareQueue };
  const handle: WorkflowHandle = await temporal.workflow.start('bareUpdateWorkflow', options);
  for (let n = 0; n < offersEach + 1; n += 1) await handle.executeUpdate(bareUpdate);
  return async () => {
    const from = performance.now();
    await handle.executeUpdate(bareUpdate);
    const took = performance.now() - from;
    await handle.terminate();
    return took;
  };
}
