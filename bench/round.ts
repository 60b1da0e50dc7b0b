// Plays one round of lives and measures it.
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Suite } from '../test/support/suite.ts';
import { cpuBetween, type CpuTimes } from './cpu.ts';
import { fiveMessages, lifeOf, peopleAt, say, untilReviewed, type Life, type Message } from './life.ts';
import type { Notices } from './notices.ts';
import type { Round, RoundOrder } from './side.protocol.ts';

export interface Stage {
  suite: Suite;
  notices: Notices;
  meter: () => CpuTimes;
  /** Address of the worker's metrics. */
  metricsUrl: string;
}

/** Milliseconds after a round in which the work that it has started comes to an end. */
const restMs = 500;

export function player({ suite, notices, meter, metricsUrl }: Stage): (order: RoundOrder) => Promise<Round> {
  let places = 0;

  return async ({ kind, lives: count, parallel }) => {
    // Every life has its own place, because bookings that stay open take their slots.
    const lives: Life[] = [];
    for (let n = 0; n < count; n += 1) lives.push(lifeOf(suite, notices, await peopleAt(suite, places++)));
    const answerMs: Round['answerMs'] = {};
    const doneMs: Round['answerMs'] = {};
    const sayTo = async (life: Life, message: Message) => {
      const { answered, done } = await say(life, message);
      (answerMs[message.name] ??= []).push(answered);
      (doneMs[message.name] ??= []).push(done);
    };
    await sleep(restMs);
    const [cpu, misses, from] = [meter(), await cacheMisses(metricsUrl), performance.now()];
    if (kind === 'cold') await inTurn(lives, untilReviewed, sayTo);
    else await atOnce(lives, parallel, kind === 'five' ? fiveMessages : untilReviewed, sayTo);
    const ms = performance.now() - from;
    await sleep(restMs);
    const { driver: _driver, ...programs } = cpuBetween(cpu, meter());
    return {
      lives: count,
      perSecond: (count * 1_000) / ms,
      cpuMs: Object.fromEntries(Object.entries(programs).map(([name, sum]) => [nameOf(name), sum / count])),
      answerMs,
      doneMs,
      cacheMisses: ((await cacheMisses(metricsUrl)) - misses) / count,
    };
  };
}

/** The file of the Temporal CLI carries its release in its name. */
const nameOf = (program: string): string => (program.startsWith('temporal') ? 'temporal' : program);

type SayTo = (life: Life, message: Message) => Promise<void>;

/** The same message to one life after the other, so that many other runs are used before a life's next message. */
async function inTurn(lives: readonly Life[], messages: readonly Message[], sayTo: SayTo): Promise<void> {
  for (const message of messages) for (const life of lives) await sayTo(life, message);
}

/** Lanes play whole lives, each lane one after the other. */
async function atOnce(lives: readonly Life[], parallel: number, messages: readonly Message[], sayTo: SayTo): Promise<void> {
  const left = [...lives];
  const lane = async () => {
    for (let life = left.shift(); life; life = left.shift()) for (const message of messages) await sayTo(life, message);
  };
  await Promise.all(Array.from({ length: parallel }, lane));
}

/** The counter of runs that the worker did not find in its cache (series of the Temporal SDK). */
async function cacheMisses(metricsUrl: string): Promise<number> {
  const text = await fetch(metricsUrl).then((answer) => answer.text());
  const values = text.matchAll(/^temporal_sticky_cache_miss(?:_total)?(?:\{.*\})? (\d+)/gm);
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}
