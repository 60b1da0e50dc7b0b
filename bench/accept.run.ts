// How long POST /offers/{id}/accept takes, against an Update of a workflow whose handler runs one no-op local activity.
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { Caller } from '../test/support/http.ts';
import { accepted, proposeAll, submitRequest, untilConfirmed } from '../test/support/play.ts';
import { city, seedProvider } from '../test/support/seed.ts';
import { startSuite, type Suite } from '../test/support/suite.ts';
import { bareQueue, bareUpdate } from './bare.messages.ts';
import { startApiProcess, startBareWorkerProcess, startWorkerProcess, through } from './spawned.ts';
import { spreadOf, type Spread } from './statistics.ts';

export interface AcceptCost {
  samples: number;
  accept: Spread;
  bare: Spread;
  /** p50 of the acceptance by p50 of the bare Update. */
  ratio: number;
  ratioP90: number;
}

export interface AcceptOptions {
  samples?: number;
  warmUp?: number;
}

const offersEach = 3;
/** Between two samples: what the one before has set in motion is over. */
const restMs = 30;

/** Measures on the servers that the environment names; API, worker and bare worker are processes of their own, as in production. */
export async function measureAccept({ samples = 200, warmUp = 40 }: AcceptOptions = {}): Promise<AcceptCost> {
  const local = await startSuite({ worker: false, api: false });
  const processes = [startWorkerProcess(local), startBareWorkerProcess(local)];
  try {
    const api = await startApiProcess(local);
    processes.push(api);
    const suite = through(local, api.url);
    const consumer = await suite.as('consumer', 'consumer');
    const times = { accept: [] as number[], bare: [] as number[] };
    for (let n = 0; n < warmUp + samples; n += 1) {
      const accept = await acceptance(suite, consumer, n);
      const bare = await bareRun(suite);
      // Each is first every other time: neither always finds the machine as the other has left it.
      const order = n % 2 ? (['accept', 'bare'] as const) : (['bare', 'accept'] as const);
      for (const what of order) {
        await sleep(restMs);
        const ms = await (what === 'accept' ? accept() : bare());
        if (n >= warmUp) times[what].push(ms);
      }
    }
    const [accept, bare] = [spreadOf(times.accept), spreadOf(times.bare)];
    return { samples, accept, bare, ratio: accept.p50 / bare.p50, ratioP90: accept.p90 / bare.p90 };
  } finally {
    await Promise.all(processes.map((one) => one.stop()));
    await local.close();
  }
}

/** A request with three live offers, in a place of its own so that calendars stay small. @returns accepts the best one, in milliseconds */
async function acceptance(suite: Suite, consumer: Caller, n: number): Promise<() => Promise<number>> {
  const place = { ...city, lat: -60 + (n % 240) / 2, lon: -170 + Math.floor(n / 240) };
  const providers = await Promise.all(
    Array.from({ length: offersEach }, (_, k) => seedProvider(suite.orm, { ...place, price: 11_000 + k })),
  );
  const requestId = await submitRequest(consumer, { location: { ...place, address: '1 Main Street' } });
  const [best] = await proposeAll(suite, providers, consumer, requestId);
  return async () => {
    const from = performance.now();
    const answer = await consumer.post(`/offers/${best.id}/accept`);
    const took = performance.now() - from;
    accepted(answer);
    await untilConfirmed(suite, requestId);
    return took;
  };
}

/** A run that has answered as many messages as the request has, over and held in the worker's cache like it. */
async function bareRun({ temporal }: Suite): Promise<() => Promise<number>> {
  const handle: WorkflowHandle = await temporal.workflow.start('bareUpdateWorkflow', {
    workflowId: `bare/${randomUUID()}`,
    taskQueue: bareQueue,
  });
  for (let n = 0; n < offersEach + 1; n += 1) await handle.executeUpdate(bareUpdate);
  return async () => {
    const from = performance.now();
    await handle.executeUpdate(bareUpdate);
    const took = performance.now() - from;
    await handle.terminate();
    return took;
  };
}
