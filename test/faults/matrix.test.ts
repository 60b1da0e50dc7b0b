import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { money } from '../../src/domain/money.ts';
import { stripePayments } from '../../src/integrations/stripe/payments.ts';
import type { StripeServer } from '../support/stripe.ts';
import { Deal, price } from './deal.ts';
import { problemsOf, problemsOfAll, untilDone } from './exactly-once.ts';
import type { Stack } from './harness.ts';
import { inLanes, type Ledger } from './journey.ts';
import { startPaidStack, type PaidStack } from './paid-stack.ts';
import { pauseAppends } from './pause.ts';
import { compensation, ruling, saga, settlement, several, type Path } from './paths.ts';

jest.setTimeout(300_000);

let paidStack: PaidStack;
let stack: Stack;
let stripe: StripeServer;
let ledger: Ledger;

beforeAll(async () => {
  paidStack = await startPaidStack();
  ({ stack, stripe, ledger } = paidStack);
});
afterAll(() => paidStack?.close());

interface Case {
  path: Path;
  /** What is killed, and where. */
  point: string;
  deal: Deal;
}

const onTheBrink = (cases: Omit<Case, 'deal'>[]): Promise<Case[]> =>
  inLanes(6, cases, async ({ path, point }) => {
    const deal = await Deal.open(ledger, path.options);
    await path.prepare?.(deal);
    return { path, point, deal };
  });

async function overTheBrink(all: Case[]): Promise<void> {
  await Promise.all(all.map(({ path, deal }) => path.act(deal).then(() => path.after?.(deal))));
  await Promise.all(all.map(({ deal }) => untilDone(stack, deal)));
}

async function expectExactlyOnce(all: Case[]): Promise<void> {
  const problems = await inLanes(4, all, async ({ deal, path, point }) =>
    (await problemsOf(stack, stripe, deal, ...path.endings)).map((problem) => `${path.name}, ${point}: ${problem}`),
  );
  expect([...problems.flat(), ...(await problemsOfAll(stack, stripe))]).toEqual([]);
  expect(await stack.check()).toMatchObject({ disagreements: [], failed: [], started: [], caughtUp: [], moved: [] });
}

describe('crash matrix', () => {
  // One kill serves all paths of a row, because every interrupted run waits until its task times out. More would overload a slow machine.
  it.each([
    ['the saga', () => saga],
    ['its compensations', () => compensation(stripe)],
    ['settlement', () => settlement],
    ['a ruling', () => ruling],
    ['what concerns several streams', () => several],
  ])('the worker killed before and after every step of %s: everything once, nothing left open', async (_name, paths) => {
    const points = paths().flatMap((path) =>
      path.steps.flatMap((step) => ['before', 'after'].map((when) => ({ path, point: `${when}:${step}` }))),
    );
    const all = await onTheBrink(points);
    const armed = all.map(({ deal, point }) => `${point}@request/${deal.requestId}`);
    stack.failpoints.arm(...armed);
    const stop = stack.worker.keepAlive();
    try {
      await overTheBrink(all);
    } finally {
      await stop();
    }
    await expectExactlyOnce(all);
    // Proves that a worker died at every point of the matrix.
    expect(stack.failpoints.hit()).toEqual(expect.arrayContaining(armed));
  });

  it('API and Postgres killed in the middle of them, and Stripe cut off before and after each effect: the same', async () => {
    const all = await onTheBrink(
      [...saga, ...compensation(stripe), ...settlement, ...ruling].map((path) => ({ path, point: 'API and Postgres' })),
    );
    const cut = ['create', 'confirm', 'capture', 'cancel', 'refund'] as const;
    for (const { deal } of all)
      for (const step of cut) stripe.faultOf(deal.userId, step, { at: 'arriving', do: 'drop' }, { at: 'answering', do: 'drop' });
    const held = await pauseAppends(stack.databaseUrl);
    const ended = overTheBrink(all);
    await held.waiting(4);
    await Promise.all([stack.postgres.kill(), stack.api.kill()]);
    await held.release();
    await Promise.all([stack.postgres.start(), stack.api.start()]);
    await ended;
    await expectExactlyOnce(all);
    await ledger.expectAllMailed();
    // Proves that every request was cut off at least once before and once after its effect.
    expect(stripe.calm()).toBeLessThanOrEqual(2 * cut.length * (all.length - 1));
  });

  it('the control: an orphan hold, a hole in a timeline, half a message, a message twice and a second authorisation are each found', async () => {
    const [path] = saga as [Path];
    const all = await onTheBrink([{ path, point: 'the control' }]);
    await overTheBrink(all);
    const [{ deal }] = all as [Case];
    const found = async () => (await problemsOf(stack, stripe, deal, ...path.endings)).concat(await problemsOfAll(stack, stripe));
    expect(await found()).toEqual([]);

    const { bookingId: id, userId } = deal;
    const payments = stripePayments({ secretKey: stripe.secretKey, apiUrl: stripe.url });
    const customer = await payments.customer({ userId });
    const attached = await payments.attach({ customer, method: 'pm_card_visa' });
    const payer = { customer, method: attached.is === 'attached' ? attached.method : '' };
    const again = { key: `booking/${id}/authorise/2`, bookingId: id, attempt: 2, amount: money(price, 'USD') };
    await payments.authorise({ ...again, payer, lookFirst: false });
    await stack.rows(`update booking set status = 'held' where id = ?`, [id]);
    // Postgres then takes the event for one that another transaction wrote.
    await stack.rows(`update event set reason = reason where stream = ? and type = 'booking.completed'`, [`booking/${id}`]);
    await stack.rows(`delete from event where stream = ? and type = 'booking.confirmed'`, [`booking/${id}`]);
    await stack.rows(
      `insert into notification select (jsonb_populate_record(n, jsonb_build_object('id', gen_random_uuid(), 'seq', n.seq + 100))).* from notification n where stream = ? limit 1`,
      [`booking/${id}`],
    );
    const problems = (await found()).join('\n');
    for (const what of ['half: booking.completed', 'timeline: ', 'row: {"status":"held"', 'ledger: ', 'told: ', 'told twice: '])
      expect(problems).toContain(what);
  });
});
