// Measures whole lifecycles per second, against bare workflows that exchange the same messages without HTTP and database.
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { WithStartWorkflowOperation, WorkflowNotFoundError } from '@temporalio/client';
import { startSuite, type Suite } from '../test/support/suite.ts';
import { bareMessage, bareQueue, type BareRequestInput } from './bare.messages.ts';
import { dayMs, fiveMessages, lifeOf, lifePolicy, peopleAt, say, untilCompleted, type People } from './life.ts';
import { hearing } from './notices.ts';
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

/** Measures on the servers that the environment names. Rounds of the product and of the bare workflows alternate. */
export async function measureLifecycles({ parallel = 32, each = 2, rounds = 4 }: LifecycleOptions = {}): Promise<LifecycleRate> {
  const local = await startSuite({ worker: false, api: false });
  const processes = [startWorkerProcess(local, lifePolicy), startBareWorkerProcess(local)];
  try {
    const api = await startApiProcess(local, lifePolicy);
    processes.push(api);
    const suite = through(local, api.url);
    const notices = await hearing(suite.databaseUrl);
    const lanes = await Promise.all(Array.from({ length: parallel }, (_, n) => peopleAt(suite, n)));
    const perSecond = async (lifecycle: (people: People) => Promise<void>) => {
      const from = performance.now();
      await Promise.all(
        lanes.map(async (people) => {
          for (let n = 0; n < each; n += 1) await lifecycle(people);
        }),
      );
      return (parallel * each * 1000) / (performance.now() - from);
    };
    const product = async (people: People) => {
      const life = lifeOf(suite, notices, people);
      for (const message of untilCompleted) await say(life, message);
    };
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

/**
 * The same messages without a product: one starts the run, one per proposal, one books; a child takes two messages and starts a
 * child.
 */
async function bareLifecycle({ temporal }: Suite): Promise<void> {
  const requestId = randomUUID();
  const bookingId = randomUUID();
  const input: BareRequestInput = { requestId, messages: fiveMessages.length, deadlineMs: dayMs };
  const startWorkflowOperation = new WithStartWorkflowOperation('bareRequestWorkflow', {
    workflowId: `bare-request/${requestId}`,
    taskQueue: bareQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  const message = () => ({ id: randomUUID(), by: { id: requestId, role: 'consumer' } });
  await temporal.workflow.executeUpdateWithStart(bareMessage, { args: [message()], startWorkflowOperation });
  const request = temporal.workflow.getHandle(`bare-request/${requestId}`);
  for (let n = 0; n < fiveMessages.length - 2; n += 1) await request.executeUpdate(bareMessage, { args: [message()] });
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
