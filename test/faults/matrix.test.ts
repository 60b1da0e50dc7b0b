import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { money } from '../../src/domain/money.ts';
import { stripePayments } from '../../src/integrations/stripe/payments.ts';
import type { StripeServer } from '../support/stripe.ts';
import { Deal, price, type DealOptions } from './deal.ts';
import { problemsOf, problemsOfAll, untilDone, type Ending } from './exactly-once.ts';
import type { Stack } from './harness.ts';
import { inLanes, type Ledger } from './journey.ts';
import { startPaidStack, type PaidStack } from './paid-stack.ts';
import { pauseAppends } from './pause.ts';
import { asked, carriedOut, confirmed, done, endingOf, givenBack, paid, paidAnew, plays, taken } from './plays.ts';

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

/** A path through a booking's life: the preparation, the command (`act`) whose steps are tested, and the allowed endings. */
interface Path {
  name: string;
  options?: DealOptions;
  prepare?: (deal: Deal) => Promise<unknown>;
  act: (deal: Deal) => Promise<unknown>;
  after?: (deal: Deal) => Promise<unknown>;
  /** Steps from `act` on. The worker dies before and after each of them. */
  steps: string[];
  endings: Ending[];
}

const begun = async (deal: Deal) => {
  await confirmed(deal);
  await deal.command('consumer', 'check-in');
};
const variant = { side: 'consumer', notice: 'short', finalPrice: price, refund: 4_000 } as const;
const toItsEnd = (deal: Deal) => carriedOut(deal, variant);

const saga: Path[] = [
  {
    name: 'hold, authorise, confirm',
    prepare: (deal) => deal.propose(),
    act: (deal) => deal.accept(),
    after: async (deal) => {
      await deal.until('confirmed');
      await toItsEnd(deal);
    },
    steps: [
      'append:booking.held',
      'append:payment.requested',
      'authorisePayment',
      'append:payment.authorised',
      'planReminders',
      'append:booking.confirmed',
    ],
    endings: plays.completed.endings(variant),
  },
  {
    // The next command arrives while the run does not yet know its own last events.
    name: 'another card',
    options: plays.declinedOnce.options(),
    prepare: (deal) => deal.propose(),
    act: (deal) => deal.accept(),
    after: (deal) => paidAnew(deal, variant),
    steps: ['append:payment.declined'],
    endings: plays.declinedOnce.endings(variant),
  },
];

const compensation: Path[] = [
  {
    name: 'an authorisation whose outcome nobody knows',
    prepare: async (deal) => {
      await deal.propose();
      // The amount is reserved, the answer is lost, and every later attempt is refused.
      const { userId } = deal;
      const reached = () => stripe.faultOf(userId, 'confirm', { at: 'arriving', do: 'busy', status: 400, code: 'parameter_invalid' });
      stripe.faultOf(
        userId,
        'confirm',
        { at: 'answering', do: 'wait', until: Promise.resolve(), reached },
        { at: 'answering', do: 'drop' },
      );
    },
    act: (deal) => deal.accept(),
    steps: ['releasePayment', 'append:payment.released', 'append:booking.released'],
    endings: [endingOf('cancelled', [[...asked, 'payment.released', 'booking.released']])],
  },
  {
    name: 'a hold that runs out',
    options: { card: 'pm_card_chargeCustomerFail' },
    prepare: (deal) => deal.propose(),
    act: (deal) => deal.acceptEarlier({ policy: { holdMs: 4_000, holdExtensionMs: 2_000 } }),
    steps: ['append:booking.released'],
    endings: plays.neverPaid.endings(),
  },
  {
    name: 'a provider who drops out',
    prepare: confirmed,
    act: (deal) => deal.command('provider', 'cancel', { reason: 'ill' }),
    steps: ['append:booking.cancelled', 'releasePayment', 'append:payment.released'],
    // The search begins again and finds no other provider.
    endings: [{ ...endingOf('unfilled', [[...paid, 'booking.cancelled', ...givenBack]]), reopened: 1 }],
  },
];

const settlement: Path[] = [
  {
    name: 'completion',
    prepare: begun,
    act: (deal) => deal.finish(),
    steps: ['append:booking.completed', 'capturePayment', 'append:payment.captured', 'append:payment.closed'],
    endings: plays.completed.endings(variant),
  },
  {
    name: 'a cancellation with a fee',
    prepare: confirmed,
    act: (deal) => deal.command('consumer', 'cancel'),
    steps: ['capturePayment'],
    endings: [endingOf('cancelled', [[...paid, 'booking.cancelled', ...taken], { captured: price }])],
  },
  {
    name: 'another slot',
    prepare: async (deal) => {
      await confirmed(deal);
      await deal.reschedule('consumer', 30);
    },
    act: (deal) => deal.agreeToReschedule('provider'),
    after: toItsEnd,
    steps: ['planReminders', 'append:booking.rescheduled'],
    endings: [endingOf('completed', [[...paid, 'reschedule.proposed', 'booking.rescheduled', ...done], { captured: price }])],
  },
];

const ruling: Path[] = [
  {
    name: 'a ruling that gives money back',
    prepare: async (deal) => {
      await begun(deal);
      await deal.finish();
      await deal.happened('payment.closed');
      await deal.command('consumer', 'dispute', { reason: 'it still leaks' });
    },
    act: (deal) => deal.rule(variant.refund),
    steps: ['append:booking.settled', 'refundPayment', 'append:payment.refunded'],
    endings: plays.disputed.endings(variant),
  },
];

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
  expect(await stack.check()).toMatchObject({ disagreements: [], failed: [], started: [], caughtUp: [], told: [] });
}

describe('crash matrix', () => {
  // One kill serves all paths of a row, because every interrupted run waits until its task times out. More would overload a slow machine.
  it.each([
    ['the saga', saga],
    ['its compensations', compensation],
    ['settlement', settlement],
    ['a ruling', ruling],
  ])('the worker killed before and after every step of %s: everything once, nothing left open', async (_name, paths) => {
    const points = paths.flatMap((path) =>
      path.steps.flatMap((step) => ['before', 'after'].map((when) => ({ path, point: `${when}:${step}` }))),
    );
    const all = await onTheBrink(points);
    const armed = all.map(({ deal, point }) => {
      // The request's run holds the slot, together with the acceptance.
      const run = point.endsWith(':booking.held') ? `request/${deal.requestId}` : `booking/${deal.bookingId || deal.nextBooking}`;
      return `${point}@${run}`;
    });
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
    const all = await onTheBrink([...saga, ...compensation, ...settlement, ...ruling].map((path) => ({ path, point: 'API and Postgres' })));
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

  it('the control: an orphan hold, a hole in a timeline, a message twice and a second authorisation are each found', async () => {
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
    await stack.rows(`delete from event where stream = ? and type = 'booking.confirmed'`, [`booking/${id}`]);
    await stack.rows(
      `insert into notification select (jsonb_populate_record(n, jsonb_build_object('id', gen_random_uuid(), 'seq', n.seq + 100))).* from notification n where stream = ? limit 1`,
      [`booking/${id}`],
    );
    const problems = (await found()).join('\n');
    for (const what of ['timeline: ', 'row: {"status":"held"', 'ledger: ', 'told: ', 'told twice: ']) expect(problems).toContain(what);
  });
});
