// Measures how long POST /chat takes to acknowledge a message while the model is slow.
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { startModel, streams, type Behaviour } from '../test/integration/llm.server.ts';
import { eventually, type Caller } from '../test/support/http.ts';
import { accepted } from '../test/support/play.ts';
import { seedPlace } from '../test/support/seed.ts';
import { startSuite } from '../test/support/suite.ts';
import { startWorkerProcess } from './spawned.ts';
import { quantile } from './statistics.ts';

export interface ChatAck {
  samples: number;
  p50: number;
  p99: number;
  max: number;
  /** p99 divided by the model's time. */
  ratio: number;
  /** p99 of the fastest fifty chats in a row: the time without other work on the machine. */
  bestP99: number;
  /** Milliseconds from an acknowledgement to its answer. They prove that the chat really waited for the model. */
  answeredAfter: number;
}

/** Number of chats in a row from which `bestP99` is taken. */
const calmest = 50;

export interface ChatAckOptions {
  samples?: number;
  /** Chats before the counting begins. They fill connections and caches, and compile the code. */
  warmUp?: number;
  /** Milliseconds between the starts of two chats, however long the others take. */
  everyMs?: number;
  modelMs?: number;
}

/**
 * Measures on the servers that the environment names. The worker is a process of its own, as in production; API and model run
 * in this process.
 */
export async function measureChatAck({
  samples = 200,
  warmUp = 40,
  everyMs = 300,
  modelMs = 5_000,
}: ChatAckOptions = {}): Promise<ChatAck> {
  const answer = streams({ ack: 'One moment.', commands: [] });
  const slow: Behaviour = async (...call) => {
    await sleep(modelMs);
    await answer(...call);
  };
  const model = await startModel(slow);
  const suite = await startSuite({ worker: false });
  const worker = startWorkerProcess(suite, { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'test', LLM_TIMEOUT_MS: String(4 * modelMs) });
  try {
    await seedPlace(suite.orm);
    const people = await Promise.all(Array.from({ length: 10 }, (_, n) => suite.as(`person-${n}`, 'consumer')));
    // The first chat waits until the worker has started.
    await timed(people[0]!);
    const chats = (count: number) => paced(count, everyMs, (n) => timed(people[n % people.length]!));
    await chats(warmUp);
    const times = await chats(samples);

    const asked = performance.now();
    const { turnId, requestId } = accepted(await people[0]!.post('/chat', { message: 'My kitchen sink is leaking' }));
    const turn = () => people[0]!.get(`/chat/${requestId}/turns/${turnId}`);
    await eventually(turn, ({ body }) => body.status === 'done', { withinMs: 20 * modelMs, what: 'the answer' });
    const p99 = quantile(times, 0.99);
    const windows = times.slice(calmest - 1).map((_, from) => quantile(times.slice(from, from + calmest), 0.99));
    return {
      samples,
      p50: quantile(times, 0.5),
      p99,
      max: Math.max(...times),
      ratio: p99 / modelMs,
      bestP99: Math.min(p99, ...windows),
      answeredAfter: performance.now() - asked,
    };
  } finally {
    await worker.stop();
    await suite.close();
    await model.stop();
  }
}

async function timed(person: Caller): Promise<number> {
  const from = performance.now();
  accepted(await person.post('/chat', { message: 'My kitchen sink is leaking' }));
  return performance.now() - from;
}

async function paced(count: number, everyMs: number, work: (n: number) => Promise<number>): Promise<number[]> {
  const running: Promise<number>[] = [];
  for (let n = 0; n < count; n += 1) {
    running.push(work(n));
    await sleep(everyMs);
  }
  return Promise.all(running);
}
