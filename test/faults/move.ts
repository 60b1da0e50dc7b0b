// npm run test:move -- --from <folder> [--requests 200]: deploys this checkout over open requests of another one, under load and with two
// kills of the worker, and shows that nothing is lost or doubled and that all timers are right. <folder> is a checkout of the release before,
// with its packages installed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildWorkflowBundle } from '../../src/temporal/bundle.ts';
import type { Caller } from '../support/http.ts';
import { runsFolder } from '../support/servers.ts';
import { Deal, price, type DealOptions } from './deal.ts';
import { problemsOf, problemsOfAll, untilDone, type Ending } from './exactly-once.ts';
import type { Release, Stack } from './harness.ts';
import { inLanes, type Ledger } from './journey.ts';
import { latenessOf, type Outage } from './move.timers.ts';
import { startPaidStack } from './paid-stack.ts';
import { carriedOut, confirmed, done, endingOf, paid, paidAnew, plays } from './plays.ts';

const { values } = parseArgs({ options: { from: { type: 'string' }, requests: { type: 'string', default: '200' } } });
if (!values.from) {
  process.stderr.write('Use: npm run test:move -- --from <folder of the release before> [--requests N]\n');
  process.exit(2);
}
const root = resolve(values.from);
const total = Number(values.requests);

const [minuteMs, quarterMs] = [60_000, 15 * 60_000];
/** Long enough that every timer rings after the deployment, short enough that a person can wait for it. */
const timerMs = 300_000;
const policy = {
  roundWindowMs: { urgent: timerMs, soon: timerMs, flexible: timerMs },
  rescheduleAnswerMs: timerMs,
  reviewRemindMs: timerMs / 2,
  reviewPublishMs: timerMs,
  reminderBeforeMs: [],
};
const variant = { side: 'consumer', notice: 'short', finalPrice: price, refund: 0 } as const;

/** A stage in which a request waits while the release changes. */
interface Stage {
  /** Share of all requests, in parts of 200. */
  share: number;
  options?: DealOptions;
  /** With the release before. */
  before: (deal: Deal) => Promise<unknown>;
  /** The command that fits the stage. It is sent while the release changes. Without it, the next thing is a timer. */
  during?: (deal: Deal) => Promise<unknown>;
  after?: (deal: Deal) => Promise<unknown>;
  ending: Ending;
  /** The release before has ended the booking. It told the request in a transaction of its own. */
  endedBefore?: true;
}

const completed = endingOf('completed', [[...paid, ...done], { captured: price }]);
const nothing = async () => undefined;
const checkedIn = async (deal: Deal) => {
  await confirmed(deal);
  await deal.command('consumer', 'check-in');
};
const finished = async (deal: Deal) => {
  await checkedIn(deal);
  await deal.finish();
};
const booked = async (deal: Deal) => {
  await deal.accept();
  await deal.until('confirmed');
  await carriedOut(deal, variant);
};

const stages: Record<string, Stage> = {
  intake: {
    share: 30,
    options: { submit: false },
    before: nothing,
    during: (deal) => deal.submit(),
    after: async (deal) => {
      await deal.propose();
      await booked(deal);
    },
    ending: completed,
  },
  proposed: { share: 25, before: (deal) => deal.propose(), during: booked, ending: completed },
  'declined card': {
    share: 10,
    options: { card: 'pm_card_chargeCustomerFail' },
    before: async (deal) => {
      await deal.propose();
      await deal.accept();
      await deal.happened('payment.declined');
    },
    during: (deal) => paidAnew(deal, variant),
    ending: plays.declinedOnce.endings(variant)[0]!,
  },
  confirmed: {
    share: 30,
    before: confirmed,
    during: (deal) => deal.command('consumer', 'check-in'),
    after: (deal) => deal.finish(),
    ending: completed,
  },
  'in progress': { share: 25, before: checkedIn, during: (deal) => deal.finish(), ending: completed },
  'never paid': {
    share: 5,
    options: { card: 'pm_card_chargeCustomerFail' },
    before: async (deal) => {
      await deal.propose();
      await deal.acceptEarlier({ policy: { holdMs: 20_000, holdExtensionMs: timerMs - 20_000 } });
      await deal.happened('booking.hold_extended');
    },
    ending: plays.neverPaid.endings()[0]!,
  },
  'ends by itself': {
    share: 5,
    before: async (deal) => {
      await deal.propose();
      const startedMs = 90 * minuteMs;
      const endsAt = Math.ceil((Date.now() - startedMs) / quarterMs) * quarterMs + 60 * minuteMs;
      await deal.acceptEarlier({ startedMs, policy: { payments: 'none', autoCompleteMs: Date.now() + timerMs - endsAt } });
      await deal.until('confirmed');
    },
    ending: endingOf('completed', [
      ['booking.held', 'booking.confirmed', 'booking.checked_in', 'booking.completed'],
      { authorised: 0, told: { booking_completed: 2 } },
    ]),
  },
  'another slot proposed': {
    share: 10,
    before: async (deal) => {
      await confirmed(deal);
      await deal.reschedule('consumer', 3);
    },
    after: async (deal) => {
      await deal.happened('reschedule.expired', 1, timerMs + 60_000);
      await carriedOut(deal, variant);
    },
    ending: endingOf('completed', [[...paid, 'reschedule.proposed', 'reschedule.expired', ...done], { captured: price }]),
  },
  'reviews open': { share: 20, before: finished, during: (deal) => deal.review('consumer'), ending: completed, endedBefore: true },
  invited: { share: 25, before: (deal) => deal.offerId(), during: (deal) => deal.propose(), after: booked, ending: completed },
  'nobody answers': { share: 15, before: (deal) => deal.offerId(), ending: { ...endingOf('unfilled'), reopened: 0 } },
};

interface Moving {
  name: string;
  stage: Stage;
  deal: Deal;
}

/** How the commands that were sent while the release changed were answered, try by try, and how long each command took. */
const tally = new Map<string, number>();
const commands = new Map<string, { first: number; done?: number; refused: boolean }>();
let counting = false;

const counted = (from: Caller): Caller => ({
  ...from,
  async post(path, body, headers = {}) {
    if (!counting) return from.post(path, body, headers);
    const key = headers['idempotency-key']!;
    const command = commands.get(key) ?? { first: Date.now(), refused: false };
    commands.set(key, command);
    const count = (how: string) => tally.set(how, (tally.get(how) ?? 0) + 1);
    try {
      const answer = await from.post(path, body, headers);
      count(answer.status < 300 ? 'done' : `${answer.status} ${answer.body?.code}`);
      if (answer.status < 300) command.done ??= Date.now();
      command.refused ||= answer.status === 503;
      return answer;
    } catch (error) {
      count('no connection');
      throw error;
    }
  },
});

const began = Date.now();
const say = (line: string) => void process.stdout.write(`${((Date.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${line}\n`);

async function releaseAt(folder: string): Promise<Release> {
  const load = (file: string) => import(pathToFileURL(join(root, file)).href);
  const bundle = join(folder, 'workflows-before.js');
  const { buildWorkflowBundle: buildOld } = (await load('src/temporal/bundle.ts')) as { buildWorkflowBundle: typeof buildWorkflowBundle };
  writeFileSync(bundle, (await buildOld()).code);
  return { ...(await load('src/dev/programs.ts')), ...(await load('src/dev/temporal-server.ts')), root, bundle } as Release;
}

/** Kills API and worker of the release before, starts this one, and kills its worker twice while requests are being moved. */
async function deploy(stack: Stack): Promise<Outage & { movedMs: number; kills: number }> {
  const running = "ExecutionStatus = 'Running' and WorkflowType in ('requestWorkflow', 'bookingWorkflow', 'reviewWorkflow')";
  const old = async () => (await stack.client.workflow.count(`${running} and ProxieShape is null`)).count;
  const runsBefore = (await stack.client.workflow.count(running)).count;
  const from = Date.now();
  await Promise.all([stack.api.kill(), stack.worker.kill()]);
  await stack.deploy();
  const started = Date.now();
  await Promise.all([stack.worker.start(), stack.api.start()]);
  say(`this release runs; ${runsBefore} runs are to be moved`);
  let kills = 0;
  for (let left = await old(); left > 0; left = await old().catch(() => left)) {
    // The second kill comes when a third is left.
    if (left < (runsBefore * (2 - kills)) / 3 && kills < 2) {
      await stack.worker.kill();
      kills += 1;
      say(`worker killed, ${left} runs of the release before are left`);
      await stack.worker.start();
    }
    await sleep(100);
  }
  return { from, to: Date.now(), movedMs: Date.now() - started, kills };
}

async function main(): Promise<string[]> {
  const folder = join(runsFolder(), `run-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  process.env['PROXIE_TEST_BUNDLE'] = join(folder, 'workflows.js');
  writeFileSync(process.env['PROXIE_TEST_BUNDLE'], (await buildWorkflowBundle()).code);
  const paidStack = await startPaidStack({ policy, from: await releaseAt(folder) });
  const { stack, stripe, ledger } = paidStack;
  const { as } = stack;
  stack.as = async (...user) => counted(await as(...user));
  try {
    return await move({
      stack,
      ledger,
      problemsOf: (deal, ending) => problemsOf(stack, stripe, deal, ending),
      all: () => problemsOfAll(stack, stripe),
    });
  } finally {
    await paidStack.close();
  }
}

interface Judge {
  stack: Stack;
  ledger: Ledger;
  problemsOf: (deal: Deal, ending: Ending) => Promise<string[]>;
  all: () => Promise<string[]>;
}

async function move({ stack, ledger, problemsOf: problemsIn, all }: Judge): Promise<string[]> {
  ledger.patienceMs = 600_000; // The longest time is reported.
  say('the release before runs');
  const wanted = Object.entries(stages).flatMap(([name, stage]) =>
    Array.from({ length: Math.max(1, Math.round((stage.share * total) / 200)) }, () => ({ name, stage })),
  );
  const moving: Moving[] = await inLanes(8, wanted, async ({ name, stage }) => {
    const deal = await Deal.open(ledger, { inMs: 120 * minuteMs, ...stage.options });
    await stage.before(deal);
    return { name, stage, deal };
  });
  say(`${moving.length} requests are open`);

  counting = true;
  // At most 24 commands wait at a time; the next one is sent when one is answered.
  const shuffled = moving.map((one, n) => ({ one, n: (n * 73) % moving.length })).toSorted((a, b) => a.n - b.n);
  const load = inLanes(24, shuffled, async ({ one }) => one.stage.during?.(one.deal));
  const loaded = load.then(
    () => undefined,
    (error: Error) => error,
  );
  await sleep(500);
  const outage = await deploy(stack);
  say(`all moved, ${(outage.movedMs / 1_000).toFixed(1)} s after the start of this release`);
  const failed = await loaded;
  counting = false;
  if (failed) throw failed;
  const sent = [...commands.values()];
  const longest = Math.max(...sent.map(({ first, done: at = Date.now() }) => at - first));
  say(
    `${commands.size} commands meanwhile, ${sent.filter(({ refused }) => refused).length} of them 503 at least once, the slowest done after ${longest} ms; tries: ${JSON.stringify(Object.fromEntries(tally))}`,
  );

  await inLanes(8, moving, async ({ stage, deal }) => stage.after?.(deal));
  say('every request has answered the commands that fit its stage');
  await inLanes(8, moving, ({ deal }) => untilDone(stack, deal, timerMs + 120_000));
  const problems = await inLanes(4, moving, async ({ name, stage, deal }) =>
    (await problemsIn(deal, stage.ending))
      .filter((problem) => !(stage.endedBefore && problem.startsWith('half: booking.completed')))
      .map((problem) => `${name}, request/${deal.requestId}: ${problem}`),
  );
  const timers = await latenessOf(stack, outage);
  for (const line of timers.lines) say(line);
  const { disagreements, failed: unchecked, started, moved } = await stack.check();
  return [
    ...problems.flat(),
    ...(await all()),
    ...timers.problems,
    ...[...disagreements, ...unchecked, ...started, ...moved].map((found) => `self-check: ${JSON.stringify(found)}`),
    ...(outage.kills === 2 ? [] : [`only ${outage.kills} kills: too few runs to move`]),
  ];
}

const problems = await main();
for (const problem of problems) say(problem);
say(problems.length ? `${problems.length} problems` : 'nothing lost, nothing doubled, all timers right');
process.exit(problems.length ? 1 : 0);
