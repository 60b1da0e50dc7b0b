import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startStripe, type StripeServer } from '../support/stripe.ts';
import { Deal, price, type DealOptions } from './deal.ts';
import { problemsOf, problemsOfAll, untilDone, type BookingEnding, type Ending } from './exactly-once.ts';
import { startStack, type Stack } from './harness.ts';
import { Ledger } from './journey.ts';
import { pauseAppends } from './pause.ts';

jest.setTimeout(180_000);

const day = 86_400_000;
const fee = price; // within two hours of the slot

let stack: Stack;
let stripe: StripeServer;
let ledger: Ledger;

beforeAll(async () => {
  stripe = await startStripe();
  stack = await startStack({ env: stripe.env, policy: { checkInEarlyMs: 90 * day } });
  stripe.sendWebhooksTo(`${stack.url}/webhooks/stripe`);
  ledger = await Ledger.open(stack);
});
afterAll(async () => {
  await stack?.close();
  await stripe?.stop();
});

/** A path through a booking's life: how it gets to the brink, the command that leads over it, and how it has to end. */
interface Path {
  name: string;
  wave: 'the saga' | 'its compensation, and completion' | 'cancellation and another slot' | 'rulings';
  options?: DealOptions;
  prepare?: (deal: Deal) => Promise<unknown>;
  act: (deal: Deal) => Promise<unknown>;
  after?: (deal: Deal) => Promise<unknown>;
  /** Steps from there on. The worker dies before and after each of them. */
  steps: string[];
  ending: Ending;
}

const held = ['booking.held', 'payment.requested'];
const paid = [...held, 'payment.authorised', 'booking.confirmed'];
const done = ['booking.checked_in', 'booking.completed', 'payment.captured', 'payment.closed'];
const ending = (request: string, timeline: string[], money: Partial<BookingEnding> = {}): Ending => ({
  request,
  bookings: [{ timeline, captured: 0, refunded: 0, authorised: 1, ...money }],
});

const confirmed = async (deal: Deal) => {
  await deal.accept();
  await deal.until('confirmed');
};
const begun = async (deal: Deal) => {
  await confirmed(deal);
  await deal.command('consumer', 'check-in');
};
const over = async (deal: Deal) => {
  await begun(deal);
  await deal.finish();
  await deal.happened('payment.closed');
};

const paths: Path[] = [
  {
    name: 'hold, authorise, confirm',
    wave: 'the saga',
    act: (deal) => deal.accept(),
    after: async (deal) => {
      await deal.until('confirmed');
      await deal.command('consumer', 'check-in');
      await deal.finish();
    },
    steps: [
      'append:booking.held',
      'append:payment.requested',
      'authorisePayment',
      'append:payment.authorised',
      'planReminders',
      'append:booking.confirmed',
    ],
    ending: ending('completed', [...paid, ...done], { captured: price }),
  },
  {
    name: 'an authorisation whose outcome nobody knows',
    wave: 'its compensation, and completion',
    prepare: async ({ userId }) => {
      // It is reserved, the answer is lost, and whoever asks again is refused.
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
    ending: ending('cancelled', [...held, 'payment.released', 'booking.released']),
  },
  {
    name: 'a hold that runs out',
    wave: 'its compensation, and completion',
    options: { card: 'pm_card_chargeCustomerFail' },
    prepare: async (deal) => {
      await deal.acceptEarlier({ policy: { holdMs: 6_000, holdExtensionMs: 6_000 } });
      await deal.happened('payment.declined');
    },
    act: () => Promise.resolve(),
    steps: ['append:booking.released'],
    ending: ending('cancelled', [...held, 'payment.declined', 'booking.hold_extended', 'booking.released'], { authorised: 0 }),
  },
  {
    name: 'completion',
    wave: 'its compensation, and completion',
    prepare: begun,
    act: (deal) => deal.finish(),
    steps: ['append:booking.completed', 'capturePayment', 'append:payment.captured', 'append:payment.closed'],
    ending: ending('completed', [...paid, ...done], { captured: price }),
  },
  {
    name: 'a provider who drops out',
    wave: 'cancellation and another slot',
    prepare: confirmed,
    act: (deal) => deal.command('provider', 'cancel', { reason: 'ill' }),
    steps: ['append:booking.cancelled', 'releasePayment', 'append:payment.released'],
    // The search begins again, and nobody else is there.
    ending: { ...ending('unfilled', [...paid, 'booking.cancelled', 'payment.released', 'payment.closed']), reopened: 1 },
  },
  {
    name: 'a cancellation with a fee',
    wave: 'cancellation and another slot',
    prepare: confirmed,
    act: (deal) => deal.command('consumer', 'cancel'),
    steps: ['capturePayment'],
    ending: ending('cancelled', [...paid, 'booking.cancelled', 'payment.captured', 'payment.closed'], { captured: fee }),
  },
  {
    name: 'a ruling that gives money back',
    wave: 'rulings',
    prepare: async (deal) => {
      await over(deal);
      await deal.command('consumer', 'dispute', { reason: 'it still leaks' });
    },
    act: (deal) => deal.rule(4_000),
    steps: ['append:booking.settled', 'refundPayment', 'append:payment.refunded'],
    ending: ending(
      'completed',
      [...paid, ...done, 'booking.disputed', 'operator.intervened', 'booking.settled', 'payment.refunded', 'payment.closed'],
      {
        captured: price,
        refunded: 4_000,
      },
    ),
  },
  {
    name: 'another slot',
    wave: 'cancellation and another slot',
    prepare: async (deal) => {
      await confirmed(deal);
      await deal.reschedule('consumer', 30);
    },
    act: (deal) => deal.agreeToReschedule('provider'),
    after: async (deal) => {
      await deal.command('consumer', 'check-in');
      await deal.finish();
    },
    steps: ['planReminders', 'append:booking.rescheduled'],
    ending: ending('completed', [...paid, 'reschedule.proposed', 'booking.rescheduled', ...done], { captured: price }),
  },
];

type Case = { path: Path; deal: Deal; point: string };

/** Deals on the brink. What a clock leads to comes last. */
async function onTheBrink(cases: Omit<Case, 'deal'>[]): Promise<Case[]> {
  const all = await inLanes(8, cases, async ({ path, point }) => {
    const deal = await Deal.open(ledger, path.options);
    await deal.propose();
    return { path, point, deal };
  });
  const rank = ({ path }: Case) => Number(path.name === 'a hold that runs out');
  await inLanes(8, all.toSorted((a, b) => rank(a) - rank(b)), async ({ path, deal }) => path.prepare?.(deal));
  return all;
}

async function overTheBrink(all: Case[]): Promise<void> {
  await Promise.all(all.map(({ path, deal }) => path.act(deal).then(() => path.after?.(deal))));
}

async function expectExactlyOnce(all: Case[]): Promise<void> {
  await Promise.all(all.map(({ deal }) => untilDone(stack, deal)));
  const problems = await inLanes(4, all, async ({ deal, path, point }) =>
    (await problemsOf(stack, stripe, deal, path.ending)).map((problem) => `${path.name}, ${point}: ${problem}`),
  );
  expect([...problems.flat(), ...(await problemsOfAll(stack, stripe))]).toEqual([]);
  expect(await stack.check()).toMatchObject({ disagreements: [], failed: [], started: [], caughtUp: [], told: [] });
}

describe('crash matrix', () => {
  // As many at once as one kill serves, and as a slow machine carries: a run that was interrupted waits for its task to time out.
  it.each(['the saga', 'its compensation, and completion', 'cancellation and another slot', 'rulings'] as const)('the worker killed before and after every step of %s: everything once, nothing left open', async (wave) => {
    const points = paths.filter((path) => path.wave === wave).flatMap((path) => path.steps.flatMap((step) => [`before:${step}`, `after:${step}`].map((point) => ({ path, point }))));
    const hitBefore = stack.failpoints.hit().length;
    const all = await onTheBrink(points);
    stack.failpoints.arm(
      ...all.map(({ deal, point }) => {
        // The slot is held by the request's run, together with the acceptance.
        const stream = point.endsWith(':booking.held') ? `request/${deal.requestId}` : `booking/${deal.bookingId || deal.nextBooking}`;
        return `${point}@${stream}`;
      }),
    );
    const ended = stack.worker.keepAlive();
    await overTheBrink(all);
    await expectExactlyOnce(all);
    expect(await ended()).toBeGreaterThan(0);
    // Every point of the matrix was really there, and somebody died at it.
    expect(stack.failpoints.armed()).toEqual([]);
    expect(stack.failpoints.hit()).toHaveLength(hitBefore + points.length);
  });

  it('API and Postgres killed in the middle of them, and Stripe cut off before and after each effect: the same', async () => {
    const all = await onTheBrink(paths.map((path) => ({ path, point: 'API and Postgres' })));
    for (const { deal } of all)
      for (const step of ['create', 'confirm', 'capture', 'cancel', 'refund'] as const)
        stripe.faultOf(deal.userId, step, { at: 'arriving', do: 'drop' }, { at: 'answering', do: 'drop' });
    const held = await pauseAppends(stack.databaseUrl);
    const acting = overTheBrink(all);
    await held.waiting(4);
    await Promise.all([stack.postgres.kill(), stack.api.kill()]);
    await held.release();
    await Promise.all([stack.postgres.start(), stack.api.start()]);
    await acting;
    await expectExactlyOnce(all);
    // What was planned for requests that a path does not make has not happened.
    expect(stripe.calm()).toBeLessThan(30);
    await ledger.expectAllMailed();
  });
});

async function inLanes<T, R>(lanes: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const lane = async () => {
    for (const [index, item] of waiting) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
