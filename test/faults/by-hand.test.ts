import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { reconcile } from '../../src/activities/reconcile.ts';
import { getPosition } from '../../src/contracts/run.messages.ts';
import { eventually, type Caller } from '../support/http.ts';
import { accepted, untilStatus } from '../support/play.ts';
import { leakRequest, seedProvider, type SeededProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';
import { inLanes } from './journey.ts';

let suite: Suite;
let provider: SeededProvider;
let worker: Caller;

beforeAll(async () => {
  suite = await startSuite();
  provider = await seedProvider(suite.orm, { capacity: 90 });
  worker = await suite.as(provider.subject, 'provider');
});
afterAll(() => suite.close());

interface Life {
  consumer: Caller;
  requestId: string;
  bookingId?: string;
}

/** The steps of a life. Each leads to the stage of its name, as the search attribute shows it. */
const steps: Record<string, (life: Life) => Promise<void>> = {
  async intake(life) {
    life.requestId = accepted(await life.consumer.post('/requests', leakRequest())).id;
  },
  async offering({ consumer, requestId }) {
    const { draftHash } = accepted(await consumer.get(`/requests/${requestId}`));
    accepted(await consumer.post(`/requests/${requestId}/submit`, { draftHash }));
    await untilStatus(suite, 'request', requestId, 'offering');
  },
  async confirmed(life) {
    const [offer] = await suite.rows<{ id: string }>('select id from offer where request_id = ?', [life.requestId]);
    accepted(await worker.post(`/offers/${offer!.id}/propose`));
    life.bookingId = accepted(await life.consumer.post(`/offers/${offer!.id}/accept`)).bookingId;
  },
  async in_progress({ consumer, bookingId }) {
    accepted(await consumer.post(`/bookings/${bookingId}/check-in`));
  },
  async 'reviews open'({ bookingId }) {
    accepted(await worker.post(`/bookings/${bookingId}/complete`));
  },
  async completed({ consumer, bookingId }) {
    for (const side of [consumer, worker]) accepted(await side.post(`/bookings/${bookingId}/review`, { rating: 5 }));
  },
};
const stages = Object.keys(steps);

const run = ({ requestId }: Life) => suite.temporal.workflow.getHandle(`request/${requestId}`);

/** What an operator can do to a run from the CLI or the Web UI. */
const hands: Record<string, (life: Life) => Promise<unknown>> = {
  terminated: (life) => run(life).terminate('by mistake'),
  async cancelled(life) {
    await run(life).cancel();
    await run(life)
      .result()
      .catch(() => undefined);
  },
  'reset to its beginning': (life) => reset(life, 'first'),
  'reset to its last task': (life) => reset(life, 'last'),
};

async function reset(life: Life, to: 'first' | 'last'): Promise<void> {
  const { workflowId } = run(life);
  const { runId } = await run(life).describe();
  const tasks = (await run(life).fetchHistory()).events!.filter((event) => event.workflowTaskCompletedEventAttributes);
  await suite.temporal.workflowService.resetWorkflowExecution({
    namespace: suite.namespace,
    workflowExecution: { workflowId, runId },
    reason: 'by mistake',
    requestId: randomUUID(),
    workflowTaskFinishEventId: (to === 'first' ? tasks[0] : tasks.at(-1))!.eventId!,
  });
}

const check = () => reconcile(suite, { quietMs: 0, patienceMs: 60_000 });

/** Positions of all streams of a life: on their timelines, and as its run knows them. */
async function positions(life: Life): Promise<[timeline: Record<string, number>, run: Record<string, number>]> {
  const { requestId, bookingId } = life;
  const rows = await suite.rows<{ stream: string; seq: number }>(
    'select stream, max(seq) as seq from event where stream = any(?::text[]) group by stream order by stream',
    [`{request/${requestId},booking/${bookingId},review/${bookingId}}`],
  );
  const known = await Promise.all(rows.map(async ({ stream }) => [stream, await run(life).query(getPosition, stream)]));
  return [Object.fromEntries(rows.map(({ stream, seq }) => [stream, seq])), Object.fromEntries(known)];
}

async function openRuns({ requestId, bookingId }: Life): Promise<string[]> {
  const found: string[] = [];
  const ids = [`request/${requestId}`, `booking/${bookingId}`, `review/${bookingId}`].map((id) => `'${id}'`).join();
  for await (const one of suite.temporal.workflow.list({ query: `WorkflowId in (${ids}) and ExecutionStatus = 'Running'` }))
    found.push(one.workflowId);
  return found;
}

const cases = stages.slice(0, -1).flatMap((stage) => Object.keys(hands).map((how) => ({ stage, how })));

describe('a run that an operator ends or resets by hand', () => {
  it('at every stage: one run is there again, it knows all its streams, and its life ends as if nothing had happened', async () => {
    const lives = await inLanes(6, cases, async ({ stage, how }) => {
      const life: Life = { consumer: await suite.as(`consumer-${randomUUID()}`, 'consumer'), requestId: '' };
      for (const step of stages.slice(0, stages.indexOf(stage) + 1)) await steps[step]!(life);
      // The task in which the stage was reached must be over, as it is when a person looks at the run.
      await eventually(
        () => run(life).describe(),
        ({ searchAttributes, raw }) => searchAttributes['ProxieStage']?.[0] === stage && !raw.pendingWorkflowTask,
        { what: `${stage} before it is ${how}` },
      );
      await hands[how]!(life);
      return { stage, how, life };
    });

    const { started, disagreements, failed } = await check();
    const lost = lives.filter(({ how }) => how === 'terminated' || how === 'cancelled').map(({ life }) => `request/${life.requestId}`);
    expect({ started: started.toSorted(), disagreements, failed }).toEqual({ started: lost.toSorted(), disagreements: [], failed: [] });

    const problems = await inLanes(6, lives, async ({ stage, how, life }) => {
      const settled = async () => (await positions(life).catch(() => [{}, { not: 0 }])).map((one) => JSON.stringify(one));
      await eventually(settled, ([timeline, known]) => timeline === known, { what: `${stage}, ${how}: all positions` });
      const open = await openRuns(life);
      for (const step of stages.slice(stages.indexOf(stage) + 1)) await steps[step]!(life);
      const result = await run(life).result();
      return [...(open.join() === `request/${life.requestId}` ? [] : [open]), ...(result.outcome === 'completed' ? [] : [result])].map(
        (problem) => `${stage}, ${how}: ${JSON.stringify(problem)}`,
      );
    });
    expect(problems.flat()).toEqual([]);
    for (const { life, ...one } of lives) expect({ ...one, types: await typesOf(life) }).toEqual({ ...one, types: wholeLife });
    expect(await check()).toMatchObject({ started: [], caughtUp: [], disagreements: [], failed: [] });
  });
});

/** Every event of a whole life, stream by stream. */
const wholeLife = {
  request: [
    'request.opened',
    'request.edited',
    'request.submitted',
    'round.opened',
    'offer.invited',
    'offer.proposed',
    'round.closed',
    'offer.accepted',
    'request.completed',
  ],
  booking: ['booking.held', 'booking.confirmed', 'booking.checked_in', 'booking.completed'],
  review: ['review.opened', 'review.submitted', 'review.submitted', 'review.published', 'review.closed'],
};

async function typesOf({ requestId, bookingId }: Life): Promise<Record<string, string[]>> {
  const rows = await suite.rows<{ noun: string; type: string }>(
    `select split_part(stream, '/', 1) as noun, type from event where stream = any(?::text[]) order by stream, seq`,
    [`{request/${requestId},booking/${bookingId},review/${bookingId}}`],
  );
  return Object.fromEntries(
    Object.entries(Object.groupBy(rows, ({ noun }) => noun)).map(([noun, all]) => [noun, all!.map(({ type }) => type)]),
  );
}
