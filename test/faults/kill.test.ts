import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startStack, type Stack } from './harness.ts';
import { Ledger, type Journey } from './journey.ts';
import { pauseAppends } from './pause.ts';

jest.setTimeout(300_000);

/** The longest delay of a command by a dead worker: 1.5 workflow task timeouts, doubled for a busy machine. */
const g1Ms = 30_000;

let stack: Stack;
let ledger: Ledger;

beforeAll(async () => {
  stack = await startStack();
  ledger = await Ledger.open(stack);
});
afterAll(() => stack?.close());

/** Four journeys. Each is one command before a different point of the path. */
async function onTheWay() {
  const journeys = await Promise.all([1, 2, 3, 4].map(() => ledger.journey()));
  const [chatting, proposing, accepting, completing] = journeys as [Journey, Journey, Journey, Journey];
  await Promise.all([
    proposing.create().then(() => proposing.offerId()),
    accepting.create().then(() => accepting.propose()),
    completing
      .create()
      .then(() => completing.propose())
      .then(() => completing.accept())
      .then(() => completing.checkIn()),
  ]);
  return { journeys, chatting, proposing, accepting, completing };
}

async function finish({ chatting, proposing, accepting, completing, journeys }: Awaited<ReturnType<typeof onTheWay>>): Promise<void> {
  const fromAcceptance = async (journey: Journey) => {
    await journey.accept();
    await journey.checkIn();
    await journey.complete();
  };
  await Promise.all([
    chatting
      .agree()
      .then(() => chatting.propose())
      .then(() => fromAcceptance(chatting)),
    fromAcceptance(proposing),
    accepting.checkIn().then(() => accepting.complete()),
    completing.closed(),
  ]);
  await Promise.all(journeys.map((journey) => journey.closed()));
}

/** Holds four different commands in the middle of their transactions and calls `whileHeld`, in which a process dies. */
async function killedInTheMiddle(whileHeld: () => Promise<void>, afterwards: () => Promise<void>): Promise<void> {
  const journeys = await onTheWay();
  const { chatting, proposing, accepting, completing } = journeys;
  const held = await pauseAppends(stack.databaseUrl);
  // Each is sent until it is acknowledged, always with its own key.
  const commands = [chatting.ask(), proposing.propose(), accepting.accept(), completing.complete()];
  const acknowledged = Promise.allSettled(commands);
  await held.waiting(commands.length);
  await whileHeld();
  await held.release();
  await afterwards();
  const back = Date.now();
  await acknowledged;
  expect(Date.now() - back).toBeLessThan(g1Ms);
  await Promise.all(commands); // Throws the first refusal or timeout, if there is one.
  await finish(journeys);
}

describe('a process is killed while a message, a proposal, an acceptance and a completion are being written', () => {
  beforeEach(() => ledger.turn());
  afterEach(async () => {
    await ledger.expectEverythingOnce();
    await ledger.repeatAll();
    expect(await stack.check()).toMatchObject({ disagreements: [], failed: [] });
  });

  it('fault 3, fault 4: the API; clients get the same answers from the next one', async () => {
    await killedInTheMiddle(
      () => stack.api.kill(),
      () => stack.api.start(),
    );
    await ledger.expectAllMailed();
  });

  it('fault 25: Postgres; nothing is half written, the runs wait for it', () =>
    killedInTheMiddle(
      () => stack.postgres.kill(),
      () => stack.postgres.start(),
    ));

  it('fault 69: the Temporal server, after the effects and before their records', () =>
    killedInTheMiddle(
      () => stack.temporal.kill(),
      () => stack.temporal.start(),
    ));

  it('fault 1, fault 2: the worker, inside the local activities of four Updates', () =>
    killedInTheMiddle(
      () => stack.worker.kill(),
      () => stack.worker.start(),
    ));
});
