// Measures whole lifecycles per second, against bare workflows that exchange the same messages without HTTP and database.
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { WithStartWorkflowOperation, WorkflowNotFoundError } from '@temporalio/client';
import type { Caller } from '../test/support/http.ts';
import { listen, type Listening } from '../src/db/listen.ts';
import { accepted, codeOf, submitRequest } from '../test/support/play.ts';
import { city, seedProvider } from '../test/support/seed.ts';
import { startSuite, type Suite } from '../test/support/suite.ts';
import { bareMessage, bareQueue, type BareRequestInput } from './bare.messages.ts';
import { startApiProcess, startBareWorkerProcess, startWorkerProcess, through } from './spawned.ts';
import { quantile } from './statistics.ts';

export interface LifecycleRate {
  parallel: number;
  /** Lifecycles per second: the median of the rounds. */
  product: number;
  bare: number;
  ratio: number;
  /** The ratio of each round, in order. */
  rounds: number[];
}

export interface LifecycleOptions {
  parallel?: number;
  /** Lifecycles per round that each parallel lane plays, one after the other. */
  each?: number;
  rounds?: number;
}

const offersEach = 3;
const dayMs = 86_400_000;

/** Measures on the servers that the environment names. Rounds of the product and of the bare workflows alternate. */
export async function measureLifecycles({ parallel = 32, each = 2, rounds = 4 }: LifecycleOptions = {}): Promise<LifecycleRate> {
  const local = await startSuite({ worker: false, api: false, policy: { checkInEarlyMs: 30 * dayMs } });
  const processes = [startWorkerProcess(local), startBareWorkerProcess(local)];
  try {
    const api = await startApiProcess(local);
    processes.push(api);
    const suite = through(local, api.url);
    const notices = await hearing(suite.databaseUrl);
    const lanes = await Promise.all(Array.from({ length: parallel }, (_, n) => laneOf(suite, notices, n)));
    const perSecond = async (lifecycle: (lane: Lane) => Promise<void>) => {
      const from = performance.now();
      await Promise.all(
        lanes.map(async (lane) => {
          for (let n = 0; n < each; n += 1) await lifecycle(lane);
        }),
      );
      return (parallel * each * 1000) / (performance.now() - from);
    };
    const product = (lane: Lane) => productLifecycle(suite, lane);
    const bare = () => bareLifecycle(suite);
    // The first round of each is a warm-up.
    for (const lifecycle of [product, bare]) await perSecond(lifecycle);
    const rates: { product: number; bare: number }[] = [];
    for (let n = 0; n < rounds; n += 1) rates.push({ product: await perSecond(product), bare: await perSecond(bare) });
    await notices.close();
    const median = (values: number[]) => quantile(values, 0.5);
    return {
      parallel,
      product: median(rates.map((rate) => rate.product)),
      bare: median(rates.map((rate) => rate.bare)),
      ratio: median(rates.map((rate) => rate.product / rate.bare)),
      rounds: rates.map((rate) => rate.product / rate.bare),
    };
  } finally {
    await Promise.all(processes.map((one) => one.stop()));
    await local.close();
  }
}

/** People who play one lifecycle after the other. Each lane has a place of its own, so no lane takes a slot of another lane. */
interface Lane {
  place: typeof city;
  consumer: Caller;
  providers: Map<string, Caller>;
  notices: Notices;
}

async function laneOf(suite: Suite, notices: Notices, n: number): Promise<Lane> {
  const place = { ...city, lat: -60 + n, lon: -100 };
  const seeded = await Promise.all(Array.from({ length: offersEach }, (_, k) => seedProvider(suite.orm, { ...place, price: 11_000 + k })));
  const providers = await Promise.all(seeded.map(async ({ id, subject }) => [id, await suite.as(subject, 'provider')] as const));
  return { place, consumer: await suite.as(`consumer-${n}`, 'consumer'), providers: new Map(providers), notices };
}

/**
 * One lifecycle of the product, from the request to its completion: three proposals, an acceptance, a booking that is carried
 * out.
 */
async function productLifecycle(suite: Suite, { place, consumer, providers, notices }: Lane): Promise<void> {
  const is = (table: 'request' | 'booking', id: string, status: string) => async () =>
    (await suite.rows(`select 1 from ${table} where id = ? and status = ?`, [id, status])).length > 0;
  const requestId = await submitRequest(consumer, { location: { ...place, address: '1 Main Street' } });
  // The workflow task that takes the request also sends it out, so the invitations exist when the answer comes.
  const offers = await suite.rows<{ id: string; provider_id: string }>('select id, provider_id from offer where request_id = ?', [
    requestId,
  ]);
  for (const { id, provider_id } of offers) accepted(await providers.get(provider_id)!.post(`/offers/${id}/propose`));
  const { id, provider_id } = offers[0]!;
  const { bookingId } = accepted(await consumer.post(`/offers/${id}/accept`));
  await notices.until(`booking/${bookingId}`, is('booking', bookingId, 'confirmed'));
  const winner = providers.get(provider_id)!;
  accepted(await winner.post(`/bookings/${bookingId}/check-in`, { code: await codeOf(suite, bookingId) }));
  accepted(await winner.post(`/bookings/${bookingId}/complete`));
  await notices.until(`request/${requestId}`, is('request', requestId, 'completed'));
}

/** Listens to every append, so that waiting for one costs next to nothing. */
interface Notices extends Listening {
  /** Asks now and after every append to the stream, until `ask` returns true. */
  until(stream: string, ask: () => Promise<boolean>): Promise<void>;
}

async function hearing(databaseUrl: string): Promise<Notices> {
  const waiting = new Map<string, () => void>();
  const { close } = await listen({ databaseUrl }, 'proxie_event', (stream) => waiting.get(stream)?.());
  return {
    close,
    async until(stream, ask) {
      for (;;) {
        const told = new Promise<void>((resolve) => waiting.set(stream, resolve));
        if (await ask()) break;
        await told;
      }
      waiting.delete(stream);
    },
  };
}

/**
 * The same messages without a product: one starts the run, one per proposal, one books; a child takes two messages and starts a
 * child.
 */
async function bareLifecycle({ temporal }: Suite): Promise<void> {
  const requestId = randomUUID();
  const bookingId = randomUUID();
  const input: BareRequestInput = { requestId, messages: offersEach + 2, deadlineMs: dayMs };
  const startWorkflowOperation = new WithStartWorkflowOperation('bareRequestWorkflow', {
    workflowId: `bare-request/${requestId}`,
    taskQueue: bareQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  const message = () => ({ id: randomUUID(), by: { id: requestId, role: 'consumer' } });
  await temporal.workflow.executeUpdateWithStart(bareMessage, { args: [message()], startWorkflowOperation });
  const request = temporal.workflow.getHandle(`bare-request/${requestId}`);
  for (let n = 0; n < offersEach; n += 1) await request.executeUpdate(bareMessage, { args: [message()] });
  await request.executeUpdate(bareMessage, { args: [{ ...message(), bookingId }] });
  const booking = temporal.workflow.getHandle(`bare-booking/${bookingId}`);
  await whenStarted(() => booking.executeUpdate(bareMessage, { args: [message()] }));
  await booking.executeUpdate(bareMessage, { args: [message()] });
  await request.result();
}

/** The acceptance starts the booking's run, so the run may appear a moment later. Asks again until it does. */
async function whenStarted<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      await sleep(10);
    }
  }
}
