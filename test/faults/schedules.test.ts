import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Caller } from '../support/http.ts';
import type { StripeServer } from '../support/stripe.ts';
import { Deal } from './deal.ts';
import { problemsOf, problemsOfAll, untilDone } from './exactly-once.ts';
import type { Stack } from './harness.ts';
import { persist, type Ledger } from './journey.ts';
import { startPaidStack, type PaidStack } from './paid-stack.ts';
import { pauseAppends } from './pause.ts';
import { notices, plays, type Play } from './plays.ts';
import { lineOf, scheduleOf, type Fault, type Schedule } from './schedule.ts';

/** `npm run test:faults -- --seeds N --from F` and `--seed S` set these. */
const { FAULT_SEEDS = '20', FAULT_FROM = '1', FAULT_SEED } = process.env;
const seeds = FAULT_SEED ? [Number(FAULT_SEED)] : Array.from({ length: Number(FAULT_SEEDS) }, (_, n) => n + Number(FAULT_FROM));
/** Number of journeys that run at once on one stack. A killed process affects all of them. */
const atOnce = 5;

let paidStack: PaidStack;
let stack: Stack;
let stripe: StripeServer;
let ledger: Ledger;

beforeAll(async () => {
  paidStack = await startPaidStack();
  ({ stack, stripe, ledger } = paidStack);
}, 300_000);
afterAll(() => paidStack?.close(), 300_000);

/** Kills and stalls run one after another: a dead process cannot be killed, and every process is started again. */
let disasters: Promise<unknown> = Promise.resolve();
const alone = (work: () => Promise<unknown>): void => void (disasters = disasters.then(work, work));

async function strike(fault: Extract<Fault, { do: 'kill' | 'stall' }>): Promise<void> {
  await sleep(fault.afterMs);
  alone(async () => {
    if (fault.do === 'kill') {
      await stack[fault.what].kill();
      await stack[fault.what].start();
      return;
    }
    const held = await pauseAppends(stack.databaseUrl);
    await sleep(fault.forMs);
    await held.release();
  });
}

type Send = (from: Caller, path: string, body?: object, key?: string) => Promise<Answer>;

/** Arms the faults of one deal. The deal's commands are counted from the proposal on. */
function arm(deal: Deal, faults: readonly Fault[]): void {
  for (const fault of faults) {
    if (fault.do === 'crash') stack.failpoints.arm(`${fault.at}@request/${deal.requestId}`);
    if (fault.do === 'stripe') {
      const { at, how, request } = fault;
      const planned =
        how === 'busy'
          ? ({ at: 'arriving', do: 'busy' } as const)
          : how === 'wait'
            ? ({ at, do: 'wait', until: sleep(1_500) } as const)
            : ({ at, do: how } as const);
      stripe.faultOf(deal.userId, request, planned);
    }
  }
  const sending = deal as unknown as { ok: Send };
  const send = sending.ok.bind(deal);
  let count = 0;
  sending.ok = async (from, path, body = {}, key = crypto.randomUUID()) => {
    count += 1;
    const now = faults.filter((fault) => 'command' in fault && fault.command === count);
    for (const fault of now) if (fault.do === 'kill' || fault.do === 'stall') void strike(fault);
    if (!now.some((fault) => fault.do === 'send twice')) return send(from, path, body, key);
    const [answer, again] = await Promise.all([send(from, path, body, key), persist(from, path, body, { key })]);
    expect([again.status, again.body?.id]).toEqual([answer.status, answer.body?.id]);
    return answer;
  };
}

async function reportAgain({ bookings }: Deal): Promise<void> {
  const theirs = stripe.events.filter(({ data }) => bookings.includes(data.object.metadata?.booking));
  for (const event of [...theirs, ...theirs].toReversed()) await stripe.deliver(`${stack.url}/webhooks/stripe`, event);
}

interface Played {
  schedule: Schedule;
  deal: Deal;
  /** The reason why the deal did not reach its end. */
  error?: string;
}

async function open(schedule: Schedule): Promise<Played> {
  const { play: name, variant } = schedule;
  const play: Play = plays[name];
  return { schedule, deal: await Deal.open(ledger, { inMs: notices[variant.notice].inMs, ...play.options?.(variant) }) };
}

async function playOne({ schedule, deal }: Played): Promise<Played> {
  const { play: name, variant, faults } = schedule;
  try {
    arm(deal, faults);
    await plays[name].run(deal, variant);
    await untilDone(stack, deal);
    return { schedule, deal };
  } catch (error) {
    const { message } = error as Error;
    const [, requestId] = /"requestId":"([^"]+)"/.exec(message) ?? [];
    return { schedule, deal, error: [message, ...(requestId ? stack.logOf(requestId) : [])].join('\n') };
  }
}

async function problemsIn({ schedule, deal, error }: Played): Promise<string[]> {
  const { play: name, variant, faults } = schedule;
  if (!error && faults.some((fault) => fault.do === 'report again')) await reportAgain(deal);
  const problems = error ? [error] : await problemsOf(stack, stripe, deal, ...plays[name].endings(variant));
  return problems.map((problem) => `${lineOf(schedule)}: ${problem}`);
}

describe('exactly once', () => {
  it(
    `${seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} seeded schedules`}: whatever dies on the way, one booking, one authorisation, no orphan hold, the timeline complete`,
    async () => {
      const ended = stack.worker.keepAlive();
      for (let first = 0; first < seeds.length; first += atOnce) {
        const batch = seeds.slice(first, first + atOnce).map(scheduleOf);
        for (const schedule of batch) process.stdout.write(`  ${lineOf(schedule)}\n`);
        // No fault strikes before all deals are open, or while the results are checked.
        const played = await Promise.all((await Promise.all(batch.map(open))).map(playOne));
        await disasters;
        const found = await Promise.all(played.map(problemsIn));
        expect(found.flat()).toEqual([]);
        // Faults at steps that no deal of this batch took must not strike in the next batch.
        stack.failpoints.disarm();
        stripe.calm();
      }
      await ended();
      expect(await problemsOfAll(stack, stripe)).toEqual([]);
      expect(await stack.check()).toMatchObject({ disagreements: [], failed: [] });
    },
    60_000 + seeds.length * 30_000,
  );
});
