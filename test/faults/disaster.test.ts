// Two disasters that Temporal cannot repair by itself; docs/architecture.md explains the timeline.
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventually, type Json } from '../support/http.ts';
import { city, leakRequest, seedProvider } from '../support/seed.ts';
import { startStack, type Stack } from './harness.ts';
import { Ledger, persist, seen, type Journey } from './journey.ts';
import { nextCommit, pauseAppends } from './pause.ts';

jest.setTimeout(300_000);

/** Short enough to end during an outage. No other request of this suite is `soon`. */
const soonMs = 2_000;

let stack: Stack;
let ledger: Ledger;

beforeAll(async () => {
  stack = await startStack({ policy: { roundWindowMs: { soon: soonMs } } });
  ledger = await Ledger.open(stack);
});
beforeEach(() => ledger.turn());
afterAll(() => stack?.close());

const typesOf = async (stream: string) =>
  (await stack.rows<{ type: string }>('select type from event where stream = ? order by seq', [stream])).map(({ type }) => type);

async function expectNoDisagreement(): Promise<void> {
  const { exitCode, report } = await stack.reconcile();
  expect({ exitCode, disagreements: report.disagreements, failed: report.failed }).toEqual({ exitCode: 0, disagreements: [], failed: [] });
  // A second reconciliation finds nothing to do.
  expect(await stack.check()).toMatchObject({ checked: report.checked, started: [], caughtUp: [], moved: [], disagreements: [] });
}

/** Ids of the Updates that Temporal knows of. */
async function recordedUpdates(workflowId: string): Promise<string[]> {
  const history = await stack.client.workflow.getHandle(workflowId).fetchHistory();
  return history.events!.flatMap((event) => event.workflowExecutionUpdateAcceptedEventAttributes?.protocolInstanceId ?? []);
}

describe('fault 69: an acceptance is committed, then Temporal and the worker die before it is recorded', () => {
  // Two providers compete in a region that no other request uses.
  const place = { ...city, lat: 42.5, lon: -75.5 };

  it('is found by the next run: a rival is refused, the retried command gets its answer, and without any client it goes on as well', async () => {
    const rivals = await Promise.all([1, 2].map((n) => seedProvider(stack.orm, { ...place, price: 10_000 + n, capacity: 9 })));
    const callers = await Promise.all(rivals.map(({ subject }) => stack.as(subject, 'provider')));
    const journeys = (await Promise.all([ledger.journey(), ledger.journey()])) as [Journey, Journey];
    const offers: string[][] = [];
    for (const [index, journey] of journeys.entries()) {
      await journey.create({ location: { ...place, address: '1 Main Street' } });
      offers[index] = await Promise.all(callers.map((provider) => journey.offerId(provider)));
      for (const [n, provider] of callers.entries())
        expect(await persist(provider, `/offers/${offers[index][n]}/propose`)).toMatchObject({ status: 200 });
    }
    const [retrying, gone] = journeys;
    const [wanted, rival] = offers[0] as [string, string];
    const streams = journeys.map(({ requestId }) => `request/${requestId}`);
    const key = randomUUID();

    const held = await pauseAppends(stack.databaseUrl);
    const lost = [
      retrying.consumer.post(`/offers/${wanted}/accept`, {}, { 'idempotency-key': key }),
      gone.consumer.post(`/offers/${offers[1]![0]}/accept`),
    ];
    await held.waiting(2);
    await stack.temporal.kill();
    const commits = await Promise.all(streams.map((stream) => nextCommit(stack.databaseUrl, stream)));
    await held.release();
    await Promise.all(commits.map(({ committed }) => committed));
    await stack.worker.kill();
    for (const answer of await Promise.all(lost)) expect(answer.status).toBe(503);

    // Proves that the fault has happened: Postgres has the event, Temporal does not.
    await stack.temporal.start();
    for (const [index, stream] of streams.entries()) {
      const commands = await stack.rows<{ id: string; type: string }>(
        "select command_id as id, type from event where stream = ? and type in ('offer.proposed', 'offer.accepted') order by seq",
        [stream],
      );
      expect(commands.map(({ type }) => type)).toEqual(['offer.proposed', 'offer.proposed', 'offer.accepted']);
      const updates = await recordedUpdates(stream);
      expect(commands.map(({ id }) => updates.includes(id))).toEqual([true, true, false]);
      expect((await journeys[index]!.consumer.get(`/requests/${journeys[index]!.requestId}`)).body).toMatchObject({ status: 'booked' });
    }

    await stack.worker.start();
    expect(await persist(retrying.consumer, `/offers/${rival}/accept`)).toMatchObject({ status: 409, body: { code: 'offer_not_open' } });
    const accepted = await persist(retrying.consumer, `/offers/${wanted}/accept`, {}, { key });
    expect(accepted).toMatchObject({ status: 201, body: { id: wanted, status: 'accepted' } });
    retrying.bookingId = accepted.body.bookingId;
    gone.bookingId = (await seen(gone.consumer, `/requests/${gone.requestId}`, ({ bookingId }) => bookingId)).bookingId;
    await Promise.all(
      journeys.map(async (journey) => {
        const { bookingId } = journey;
        expect((await persist(callers[0]!, `/bookings/${bookingId}/check-in`, { code: await journey.code() })).status).toBe(200);
        expect((await persist(callers[0]!, `/bookings/${bookingId}/complete`)).status).toBe(200);
      }),
    );
    for (const [index, journey] of journeys.entries()) {
      await journey.closed();
      expect((await typesOf(streams[index]!)).filter((type) => /accepted|superseded|completed/.test(type))).toEqual([
        'offer.accepted',
        'offer.superseded',
        'request.completed',
      ]);
      expect(await stack.rows('select status from booking where request_id = ?', [journey.requestId])).toEqual([{ status: 'completed' }]);
    }
    await ledger.expectMailsOnce();
    await expectNoDisagreement();
  });
});

describe("fault 70: Temporal's whole store is lost", () => {
  it('fault 11: every open request and booking goes on where it was, deadlines that passed in between fire once, and everything completes once', async () => {
    const [asked, proposed, confirmed, inProgress, unanswered, reviewing] = (await Promise.all(
      Array.from({ length: 6 }, () => ledger.journey()),
    )) as [Journey, Journey, Journey, Journey, Journey, Journey];
    const booked = async (journey: Journey) => {
      await journey.create();
      await journey.propose();
      await journey.accept();
    };
    await Promise.all([
      asked.ask(),
      proposed.create().then(() => proposed.propose()),
      booked(confirmed),
      booked(inProgress).then(() => inProgress.checkIn()),
      booked(reviewing)
        .then(() => reviewing.checkIn())
        .then(() => reviewing.complete())
        .then(() => reviewing.closed()),
    ]);
    const to = new Date(Date.now() + 30 * 3_600_000).toISOString();
    await unanswered.create({ when: { ...leakRequest().when, to } });
    await unanswered.offerId();
    const opened = await deadlineOf(unanswered);

    await stack.worker.kill();
    await stack.temporal.kill();
    stack.forgetTemporal();
    await eventually(
      () => stack.rows<{ over: boolean }>('select now() > ?::timestamptz as over', [opened]),
      ([row]) => row!.over,
      { what: 'the deadline' },
    );
    await stack.temporal.start();
    const nothingLeft = await stack.client.workflow
      .getHandle(`request/${proposed.requestId}`)
      .describe()
      .catch((error: Error) => error.name);
    expect(nothingLeft).toBe('WorkflowNotFoundError');
    await stack.worker.start();

    const fromAcceptance = async (journey: Journey) => {
      await journey.accept();
      await journey.checkIn();
      await journey.complete();
    };
    await Promise.all([
      asked
        .agree()
        .then(() => asked.propose())
        .then(() => fromAcceptance(asked)),
      fromAcceptance(proposed),
      confirmed.checkIn().then(() => confirmed.complete()),
      inProgress.complete(),
      unanswered.closed('unfilled'),
    ]);
    const completed = [asked, proposed, confirmed, inProgress, reviewing];
    await Promise.all(completed.map((journey) => journey.closed()));

    // The unanswered round was closed once, at its own deadline. The deadline did not start again at the restart.
    const rounds = await stack.rows<Json>(
      `select type, data ->> 'round' as round, at from event where stream = ? and type like 'round.%' and data ->> 'round' = '1' order by seq`,
      [`request/${unanswered.requestId}`],
    );
    expect(rounds.map(({ type }) => type).filter((type) => type !== 'round.reminded')).toEqual(['round.opened', 'round.closed']);
    expect(rounds.filter(({ type }) => type === 'round.reminded').length).toBeLessThanOrEqual(1);
    expect(await deadlineOf(unanswered)).toBe(opened);
    ledger.journeys = completed;
    await ledger.expectEverythingOnce();
    await ledger.repeatAll();

    // Operators find rebuilt runs like the first runs.
    const review = await stack.client.workflow.getHandle(`request/${reviewing.requestId}`).describe();
    expect(review.status.name).toBe('RUNNING');
    expect(review.searchAttributes).toMatchObject({
      ProxieStage: ['reviews open'],
      ProxieProvider: [ledger.provider.id],
      ProxieBooking: [reviewing.bookingId],
    });
    await expectNoDisagreement();
  });

  const deadlineOf = async ({ requestId }: Journey) => {
    const [row] = await stack.rows<{ closesAt: string }>(
      `select data ->> 'closesAt' as "closesAt" from event where stream = ? and type = 'round.opened' order by seq limit 1`,
      [`request/${requestId}`],
    );
    return row!.closesAt;
  };
});

describe('negative control: npm run reconcile', () => {
  it('fault 26: reports a row, a timeline and a run that were changed by hand, and nothing else', async () => {
    const [ended, open] = (await Promise.all([ledger.journey(), ledger.journey()])) as [Journey, Journey];
    await ended.create();
    await ended.propose();
    expect(await persist(ended.consumer, `/requests/${ended.requestId}/cancel`)).toMatchObject({ status: 200 });
    await open.create();
    await open.propose();
    await seen(open.consumer, `/requests/${open.requestId}/timeline`, ({ items }) => items.at(-1).type === 'round.closed');
    await expectNoDisagreement();
    const offerId = await ended.offerId();
    const [last] = await stack.rows<{ seq: number }>('select max(seq) as seq from event where stream = ?', [`request/${open.requestId}`]);

    await stack.rows("update offer set status = 'withdrawn' where id = ?", [offerId]);
    await stack.rows('delete from event where stream = ? and seq = ?', [`request/${open.requestId}`, last!.seq]);
    const { exitCode, report } = await stack.reconcile();
    expect(exitCode).toBe(1);
    expect(report.disagreements).toEqual([
      {
        stream: `request/${open.requestId}`,
        between: 'run and timeline',
        detail: `run at ${last!.seq}, timeline at ${last!.seq - 1}: commits were lost`,
      },
      { stream: `request/${ended.requestId}`, between: 'row and timeline', detail: `offer/${offerId}: row withdrawn, timeline superseded` },
    ]);

    // A run that knows more than its timeline does not write over the gap.
    const refused = await open.consumer.post(`/offers/${await open.offerId()}/accept`);
    expect(refused).toMatchObject({ status: 503, body: { code: 'timeline_behind' } });
    expect((await stack.client.workflow.getHandle(`request/${open.requestId}`).describe()).searchAttributes).toMatchObject({
      ProxieNeedsAttention: [true],
    });

    await stack.rows('delete from event where stream = ? and seq = 2', [`request/${ended.requestId}`]);
    expect((await stack.check()).disagreements).toContainEqual({
      stream: `request/${ended.requestId}`,
      between: 'timeline and its noun',
      detail: 'position 2 is missing',
    });
  });
});
