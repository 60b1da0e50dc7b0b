// Measures POST /offers/{id}/accept against an Update of a workflow whose handler runs one no-op local activity.
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { eventually } from '../test/support/http.ts';
import { proposeAll, submitRequest, untilConfirmed } from '../test/support/play.ts';
import { city, seedProvider } from '../test/support/seed.ts';
import { startSuite, type Suite } from '../test/support/suite.ts';
import { bareBooking, bareQueue, bareUpdate } from './bare.messages.ts';
import { cpuBetween, cpuMeter, type CpuTimes } from './cpu.ts';
import { startApiProcess, startBareWorkerProcess, startWorkerProcess, through } from './spawned.ts';
import { spreadOf, type Spread } from './statistics.ts';

/**
 * The measured calls: the acceptance (`accept`), the yardstick (`bare`), and a yardstick that also takes the steps of an
 * acceptance in Temporal (`bareBooking`).
 */
export const measured = ['accept', 'bare', 'bareBooking'] as const;
export type Measured = (typeof measured)[number];

export interface AcceptCost {
  samples: number;
  ms: Record<Measured, Spread>;
  /** Milliseconds of CPU spent until the answer, median per program. Empty on systems without these numbers. */
  cpuMs: Record<Measured, CpuTimes>;
  /** p50 of the acceptance divided by p50 of the bare Update. The next two are the same ratio of p10 and of p90. */
  ratio: number;
  ratioP10: number;
  ratioP90: number;
  /** p50 of the acceptance divided by p50 of `bareBooking`, where Temporal has the same to store. */
  bookingRatio: number;
}

export interface AcceptOptions {
  samples?: number;
  /** Rounds before the counting begins. They fill connections, caches and plans, and compile the code. */
  warmUp?: number;
}

const offersEach = 3;
/** Milliseconds before each sample, in which the work that the sample before has started comes to an end. */
const restMs = 30;

/** Measures on the servers that the environment names. API, worker and bare worker are processes of their own, as in production. */
export async function measureAccept({ samples = 200, warmUp = 40 }: AcceptOptions = {}): Promise<AcceptCost> {
  const local = await startSuite({ worker: false, api: false });
  const [worker, bareWorker] = [startWorkerProcess(local), startBareWorkerProcess(local)];
  const processes = [worker, bareWorker];
  try {
    const api = await startApiProcess(local);
    processes.push(api);
    const suite = through(local, api.url);
    const names = { [api.pid]: 'API', [worker.pid]: 'worker', [bareWorker.pid]: 'bare worker', [process.pid]: 'client' };
    const meter = cpuMeter(names);
    const taken: Record<Measured, Taken[]> = { accept: [], bare: [], bareBooking: [] };
    for (let n = 0; n < warmUp + samples; n += 1) {
      const prepared = { accept: await acceptance(suite, n), bare: await bareRun(suite), bareBooking: await bareRun(suite, true) };
      // The order alternates, so that no call always runs right after the same other call.
      for (const what of n % 2 ? measured.toReversed() : measured) {
        await sleep(restMs);
        const sample = await timed(prepared[what], meter);
        if (n >= warmUp) taken[what].push(sample);
      }
    }
    const each = <T>(of: (samples: Taken[]) => T) =>
      Object.fromEntries(measured.map((what) => [what, of(taken[what])])) as Record<Measured, T>;
    const ms = each((all) => spreadOf(all.map((one) => one.ms)));
    const ratio = (by: Measured, at: keyof Spread) => ms.accept[at] / ms[by][at];
    return {
      samples,
      ms,
      cpuMs: each(medianCpu),
      ratio: ratio('bare', 'p50'),
      ratioP10: ratio('bare', 'p10'),
      ratioP90: ratio('bare', 'p90'),
      bookingRatio: ratio('bareBooking', 'p50'),
    };
  } finally {
    await Promise.all(processes.map((one) => one.stop()));
    await local.close();
  }
}

interface Prepared {
  /** The measured call. */
  work(): Promise<unknown>;
  /** Waits until everything that the call has started is over. */
  after(): Promise<unknown>;
}

interface Taken {
  ms: number;
  cpu: CpuTimes;
}

async function timed({ work, after }: Prepared, meter: () => CpuTimes): Promise<Taken> {
  const before = meter();
  const from = performance.now();
  await work();
  const ms = performance.now() - from;
  const cpu = cpuBetween(before, meter());
  await after();
  return { ms, cpu };
}

function medianCpu(all: readonly Taken[]): CpuTimes {
  const names = new Set(all.flatMap(({ cpu }) => Object.keys(cpu)));
  const medianOf = (name: string) => spreadOf(all.map(({ cpu }) => cpu[name] ?? 0)).p50;
  const medians = [...names].map((name) => [name, medianOf(name)] as const);
  return Object.fromEntries(medians.filter(([, ms]) => ms >= 0.1));
}

/** A request with three live offers. It has a place of its own, so that calendars stay small. */
async function acceptance(suite: Suite, n: number): Promise<Prepared> {
  const place = { ...city, lat: -60 + (n % 240) / 2, lon: -170 + Math.floor(n / 240) };
  const providers = await Promise.all(
    Array.from({ length: offersEach }, (_, k) => seedProvider(suite.orm, { ...place, price: 11_000 + k })),
  );
  const consumer = await suite.as('consumer', 'consumer');
  const token = await suite.token('consumer', 'consumer');
  const requestId = await submitRequest(consumer, { location: { ...place, address: '1 Main Street' } });
  const [best] = await proposeAll(suite, providers, consumer, requestId);
  return {
    work: () => post(`${suite.url}/api/v1/offers/${best.id}/accept`, token),
    after: () => untilConfirmed(suite, requestId),
  };
}

const agent = new Agent({ keepAlive: true });

/** Sends a POST over one kept connection, with the leanest client there is, because the measurement is about the server. */
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

/** A bare run that has answered as many messages as the run of the request, and that its worker also holds in its cache. */
async function bareRun({ temporal }: Suite, booking = false): Promise<Prepared> {
  const options = { workflowId: `bare/${randomUUID()}`, taskQueue: bareQueue };
  const handle: WorkflowHandle = await temporal.workflow.start('bareUpdateWorkflow', options);
  for (let n = 0; n < offersEach + 1; n += 1) await handle.executeUpdate(bareUpdate);
  if (!booking) return { work: () => handle.executeUpdate(bareUpdate), after: () => handle.terminate() };
  const childId = `bare-booking/${randomUUID()}`;
  return {
    work: () => handle.executeUpdate(bareBooking, { args: [{ childId }] }),
    async after() {
      const child = temporal.workflow.getHandle(childId);
      const gone = () => child.terminate().catch(() => undefined);
      await eventually(gone, (answer) => answer !== undefined, { what: 'the child to have begun' });
      await handle.terminate();
    },
  };
}
