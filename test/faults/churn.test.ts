import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StripeServer } from '../support/stripe.ts';
import { Deal } from './deal.ts';
import { problemsOf, problemsOfAll, untilDone } from './exactly-once.ts';
import type { Stack } from './harness.ts';
import { inLanes, type Ledger } from './journey.ts';
import { startPaidStack, type PaidStack } from './paid-stack.ts';
import { notices, plays, type Play, type PlayName, type Variant } from './plays.ts';

const names: PlayName[] = ['completed', 'cancelled', 'declinedOnce', 'rescheduled', 'disputed', 'droppedOut', 'noShow', 'unpaid'];
/** How often every play is run: twice with `npm run test:faults`, which sets the variable. */
const rounds = process.env['FAULT_SEEDS'] ? 2 : 1;
/** Number of events between two kills: enough for some progress, few enough that every deal is interrupted. */
const eventsBetween = 40;

let paidStack: PaidStack;
let stack: Stack;
let stripe: StripeServer;
let ledger: Ledger;

beforeAll(async () => {
  paidStack = await startPaidStack();
  ({ stack, stripe, ledger } = paidStack);
}, 300_000);
afterAll(() => paidStack?.close(), 300_000);

/** Kills the worker after every `eventsBetween` events, whatever the clock says. @returns stops the kills and returns their number */
function churning(): () => Promise<number> {
  let wanted = true;
  const written = async () => Number((await stack.rows<{ n: string }>('select count(*) as n from event'))[0]!.n);
  const revived = stack.worker.keepAlive();
  const killing = (async () => {
    let last = await written();
    while (wanted) {
      await sleep(20);
      const now = await written();
      if (now < last + eventsBetween) continue;
      last = now;
      // The worker may still be starting after the last kill.
      await stack.worker.kill().catch(() => {});
    }
  })();
  // The Schedule runs this check every five minutes.
  const checking = (async () => {
    while (wanted) {
      await sleep(3_000);
      await stack.check().catch(() => {});
    }
  })();
  killing.catch(() => {}); // The function below awaits this promise and throws its error.
  return async () => {
    wanted = false;
    await Promise.all([killing, checking]);
    return revived();
  };
}

describe('a worker that dies again and again', () => {
  it('while bookings of every kind run their ways at once: everything once, nothing left open, no run stuck', async () => {
    const all = Array.from({ length: rounds * names.length }, (_, n) => n);
    const end = churning();
    const problems = await inLanes(6, all, async (n) => {
      const name = names[n % names.length]!;
      const play: Play = plays[name];
      const variant: Variant = { side: n % 2 ? 'consumer' : 'provider', notice: 'short', finalPrice: 12_000, refund: 4_000 };
      const deal = await Deal.open(ledger, { inMs: notices[variant.notice].inMs, ...play.options?.(variant) });
      await play.run(deal, variant);
      await untilDone(stack, deal);
      return (await problemsOf(stack, stripe, deal, ...play.endings(variant))).map((problem) => `${name}: ${problem}`);
    });
    const deaths = await end();
    process.stdout.write(`  ${deaths} deaths in ${all.length} bookings\n`);
    expect([...problems.flat(), ...(await problemsOfAll(stack, stripe))]).toEqual([]);
    expect(deaths).toBeGreaterThan(2 * rounds);
    expect(await stack.check()).toMatchObject({ disagreements: [], failed: [], started: [], caughtUp: [], moved: [] });
  }, 600_000);
});
