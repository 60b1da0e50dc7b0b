import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { reconcile, type ReconcileReport } from '../../src/activities/reconcile.ts';
import { getPosition } from '../../src/contracts/run.messages.ts';
import { eventually, type Answer, type Caller } from '../support/http.ts';
import { accepted, untilStatus } from '../support/play.ts';
import { leakRequest, seedProvider, type SeededProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';
import { persist } from './journey.ts';

let suite: Suite;
let provider: SeededProvider;
let worker: Caller;

beforeAll(async () => {
  suite = await startSuite();
  provider = await seedProvider(suite.orm, { capacity: 50 });
  worker = await suite.as(provider.subject, 'provider');
});
afterAll(() => suite.close());

const check = (options = {}): Promise<ReconcileReport> => reconcile(suite, { quietMs: 0, ...options });
const run = (workflowId: string, runId?: string) => suite.temporal.workflow.getHandle(workflowId, runId);

interface Old {
  consumer: Caller;
  requestId: string;
  bookingId: string;
  /** Run ids by workflow id. */
  runs: Record<string, string>;
}

/**
 * A booked request with the runs that an earlier release had for it. Nothing replays their histories: no worker of that release is there.
 * @param nouns streams that have a run of their own
 */
async function ofEarlierRelease(nouns: readonly string[], { done = false } = {}): Promise<Old> {
  const consumer = await suite.as(`consumer-${randomUUID()}`, 'consumer');
  const requestId = accepted(await consumer.post('/requests', leakRequest({ submit: true }))).id;
  await untilStatus(suite, 'request', requestId, 'offering');
  const [offer] = await suite.rows<{ id: string }>('select id from offer where request_id = ?', [requestId]);
  accepted(await worker.post(`/offers/${offer!.id}/propose`));
  const { bookingId } = accepted(await consumer.post(`/offers/${offer!.id}/accept`));
  if (done) {
    accepted(await consumer.post(`/bookings/${bookingId}/check-in`));
    accepted(await worker.post(`/bookings/${bookingId}/complete`));
  }
  await run(`request/${requestId}`).terminate('an earlier release has its own runs');
  const runs: Record<string, string> = {};
  for (const noun of nouns) {
    const workflowId = `${noun}/${noun === 'request' ? requestId : bookingId}`;
    const started = await suite.temporal.workflow.start(`${noun}Workflow`, {
      workflowId,
      taskQueue: 'of-an-earlier-release',
      args: [{ requestId, bookingId }],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    });
    runs[workflowId] = started.firstExecutionRunId;
  }
  await eventually(oldRuns, (found) => Object.values(runs).every((id) => found.includes(id)), { what: 'the list of runs' });
  return { consumer, requestId, bookingId, runs };
}

async function oldRuns(): Promise<string[]> {
  const found: string[] = [];
  for await (const one of suite.temporal.workflow.list({ query: "ExecutionStatus = 'Running' and ProxieShape is null" }))
    found.push(one.runId);
  return found;
}

const statusOf = async (workflowId: string, runId?: string) => (await run(workflowId, runId).describe()).status.name;

/** Expects that the old runs are ended, and that one run answers for all streams of the request and knows them. */
async function expectMoved({ requestId, bookingId, runs }: Old): Promise<void> {
  for (const [workflowId, runId] of Object.entries(runs))
    expect([workflowId, await statusOf(workflowId, runId)]).toEqual([workflowId, 'TERMINATED']);
  const now = await run(`request/${requestId}`).describe();
  expect({ status: now.status.name, shape: now.searchAttributes['ProxieShape'] }).toEqual({ status: 'RUNNING', shape: ['2'] });
  const rows = await suite.rows<{ stream: string; seq: number }>(
    'select stream, max(seq) as seq from event where stream = any(?::text[]) group by stream',
    [`{request/${requestId},booking/${bookingId},review/${bookingId}}`],
  );
  for (const { stream, seq } of rows) {
    const known = () => run(`request/${requestId}`).query(getPosition, stream);
    await eventually(known, (position) => position === seq, { what: `the position of ${stream}` });
  }
}

const timesOf = async (stream: string, type: string) =>
  (await suite.rows('select seq from event where stream = ? and type = ?', [stream, type])).length;

describe('runs of an earlier release', () => {
  it('are replaced by one run for each request, which knows all its streams; what is sent meanwhile is 503 at worst and counts once', async () => {
    const confirmed = await ofEarlierRelease(['request', 'booking']);
    const reviewed = await ofEarlierRelease(['review'], { done: true });
    const key = randomUUID();
    const send = () => confirmed.consumer.post(`/bookings/${confirmed.bookingId}/check-in`, {}, { 'idempotency-key': key });
    const answers: Answer[] = [];
    let moving = true;
    const sending = (async () => {
      while (moving) answers.push(await suite.temporal.withDeadline(Date.now() + 2_000, send).catch(() => ({ status: 503 }) as Answer));
    })();
    const report = await check();
    moving = false;
    await sending;

    const wanted = [confirmed, reviewed].map(({ requestId }) => `request/${requestId}`);
    expect({ ...report, moved: report.moved.toSorted() }).toMatchObject({
      moved: wanted.toSorted(),
      started: [],
      disagreements: [],
      failed: [],
    });
    expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 503)).toEqual([]);
    for (const old of [confirmed, reviewed]) await expectMoved(old);
    expect(await check()).toMatchObject({ moved: [], started: [], caughtUp: [], disagreements: [], failed: [] });

    expect(await persist(confirmed.consumer, `/bookings/${confirmed.bookingId}/check-in`, {}, { key })).toMatchObject({ status: 200 });
    expect(await timesOf(`booking/${confirmed.bookingId}`, 'booking.checked_in')).toBe(1);
    accepted(await worker.post(`/bookings/${confirmed.bookingId}/complete`));
    for (const { consumer, bookingId, requestId } of [confirmed, reviewed]) {
      for (const side of [consumer, worker]) accepted(await side.post(`/bookings/${bookingId}/review`, { rating: 5 }));
      expect(await run(`request/${requestId}`).result()).toEqual({ outcome: 'completed' });
      expect(await timesOf(`request/${requestId}`, 'request.completed')).toBe(1);
    }
  });

  it('are replaced a bounded number at a time; the next check goes on', async () => {
    const all = await Promise.all([1, 2, 3].map(() => ofEarlierRelease(['request', 'booking'])));
    const first = await check({ maxMoves: 2, patienceMs: 1_000 }); // The third run answers nobody.
    expect(first.moved).toHaveLength(2);
    const second = await check({ maxMoves: 2 });
    expect([...first.moved, ...second.moved].toSorted()).toEqual(all.map(({ requestId }) => `request/${requestId}`).toSorted());
    for (const old of all) await expectMoved(old);
  });

  it('the control: a run of this release is left alone', async () => {
    const { requestId } = await ofEarlierRelease(['request']);
    const other = accepted(await (await suite.as('other', 'consumer')).post('/requests', leakRequest({ submit: true }))).id;
    const { runId } = await run(`request/${other}`).describe();
    expect((await check()).moved).toEqual([`request/${requestId}`]);
    expect(await statusOf(`request/${other}`, runId)).toBe('RUNNING');
  });
});
