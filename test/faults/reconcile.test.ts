import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { WorkflowService } from '@temporalio/client';
import { reconcile, type ReconcileReport } from '../../src/activities/reconcile.ts';
import { catchUp } from '../../src/contracts/run.messages.ts';
import { runShape, searchAttributes } from '../../src/contracts/search-attributes.ts';
import { eventsOf } from '../../src/db/timeline.ts';
import { decideBooking } from '../../src/domain/booking/decide.ts';
import { emptyBooking, evolveBooking } from '../../src/domain/booking/evolve.ts';
import type { BookingTimelineEvent } from '../../src/domain/booking/types.ts';
import type { RequestEvent } from '../../src/domain/request/types.ts';
import { eventually, type Caller, type Json } from '../support/http.ts';
import { leakRequest, seedProvider, type SeededProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';
import { writeUnheard } from '../support/unheard.ts';

let suite: Suite;
let provider: SeededProvider;
let consumer: Caller;
let worker: Caller;

beforeAll(async () => {
  suite = await startSuite();
  provider = await seedProvider(suite.orm, { capacity: 50 });
  consumer = await suite.as('consumer', 'consumer');
  worker = await suite.as(provider.subject, 'provider');
});
afterAll(() => suite.close());

const check = (options = {}): Promise<ReconcileReport> => reconcile(suite, { quietMs: 0, ...options });
const nothing = { moved: [], started: [], caughtUp: [], disagreements: [], failed: [] };
/** Numbers of temporal.api.enums.v1: `COMMAND_TYPE_PROTOCOL_MESSAGE`, `WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR`. */
const [protocolMessage, nonDeterministic] = [14, 24];
const messageThatIsMissing = { commandType: protocolMessage, protocolMessageCommandAttributes: { messageId: 'x/request/complete' } };
/** Without it, the self-check takes a run for one of an earlier release. */
const ofThisRelease = { typedSearchAttributes: [{ key: searchAttributes.shape, value: runShape }] };
const run = (stream: string) => suite.temporal.workflow.getHandle(stream);
const newest = async (stream: string) =>
  (await suite.rows<{ seq: number; type: string }>('select seq, type from event where stream = ? order by seq desc limit 1', [stream]))[0]!;

/** A request with one invitation; its run waits for the provider. */
async function offering(): Promise<{ id: string; stream: string; offerId: string }> {
  const { body } = await consumer.post('/requests', leakRequest({ submit: true }));
  const stream = `request/${body.id}`;
  const [offer] = await eventually(
    () => suite.rows<{ id: string }>('select id from offer where request_id = ?', [body.id]),
    (rows) => rows.length === 1,
  );
  return { id: body.id, stream, offerId: offer!.id };
}

async function booked(): Promise<{ id: string; stream: string; bookingId: string }> {
  const request = await offering();
  expect((await worker.post(`/offers/${request.offerId}/propose`)).status).toBe(200);
  const { body } = await consumer.post(`/offers/${request.offerId}/accept`);
  await eventually(
    () => worker.get(`/bookings/${body.bookingId}`),
    (answer) => answer.body.status === 'confirmed',
  );
  return { ...request, bookingId: body.bookingId };
}

describe('the reconciler repairs', () => {
  afterEach(async () => expect(await check()).toMatchObject(nothing)); // A second check changes nothing.

  it('starts a run for every open stream that has none, page by page', async () => {
    const requests = await Promise.all([offering(), offering(), offering()]);
    const { stream: withBooking, bookingId } = await booked();
    const runs = [...requests.map(({ stream }) => stream), withBooking];
    for (const stream of runs) await run(stream).terminate('as the test wishes');
    const { started, checked } = await check({ pageSize: 2 });
    expect(started.toSorted()).toEqual(runs.toSorted());
    expect(checked).toBeGreaterThanOrEqual(5);
    expect((await consumer.post(`/bookings/${bookingId}/check-in`)).status).toBe(200);
    const rebuilt = await run(withBooking).describe();
    expect(rebuilt.searchAttributes).toMatchObject({
      ProxieStage: ['in_progress'],
      ProxieBooking: [bookingId],
      ProxieProvider: [provider.id],
      ProxieService: ['plumbing.leak'],
    });
    expect((await worker.post(`/offers/${requests[0]!.offerId}/propose`)).status).toBe(200);
  });

  it('leaves alone what has just been written', async () => {
    const { stream } = await offering();
    await run(stream).terminate('as the test wishes');
    expect((await check({ quietMs: 60_000 })).started).toEqual([]);
    expect((await check()).started).toEqual([stream]);
  });

  const service = (): WorkflowService => suite.temporal.connection.workflowService;

  /** A request whose run has its own task queue; the test is the worker of this queue. */
  async function withBrokenWorker(options: { workflowTaskTimeout?: number } = {}) {
    const { id, stream, offerId } = await offering();
    await run(stream).terminate('as the test wishes');
    const taskQueue = randomUUID();
    const args = [{ requestId: id }];
    await suite.temporal.workflow.start('requestWorkflow', { workflowId: stream, taskQueue, args, ...ofThisRelease, ...options });
    const from = { namespace: suite.namespace, identity: 'a broken worker' };
    const poll = () => service().pollWorkflowTaskQueue({ ...from, taskQueue: { name: taskQueue } });
    const nextTask = async (): Promise<Task> => {
      const { taskToken } = await suite.temporal.connection.withDeadline(Date.now() + 60_000, poll);
      return { ...from, taskToken };
    };
    return { stream, offerId, nextTask };
  }

  type Task = { namespace: string; identity: string; taskToken: Uint8Array };
  type Broken = (service: WorkflowService, task: Task) => Promise<unknown>;
  it.each<[string, Broken]>([
    [
      'gives a run whose answer was lost between worker and server a new one',
      (service, task) =>
        expect(service.respondWorkflowTaskCompleted({ ...task, commands: [messageThatIsMissing] })).rejects.toThrow('absent message ID'),
    ],
    [
      'gives a run that no code can replay a new one',
      (service, task) => service.respondWorkflowTaskFailed({ ...task, cause: nonDeterministic }),
    ],
  ])('%s', async (_, fail) => {
    const { stream, offerId, nextTask } = await withBrokenWorker();
    let failures = 0;
    for (; !(await check({ patienceMs: 300 })).started.includes(stream); failures += 1) await fail(service(), await nextTask());
    expect(failures).toBeGreaterThan(1); // A single failure can end by itself.
    expect(failures).toBeLessThan(5);
    expect((await worker.post(`/offers/${offerId}/propose`)).status).toBe(200);
  });

  it('leaves a run alone that no code could replay once, and whose workers die now', async () => {
    const { stream, nextTask } = await withBrokenWorker({ workflowTaskTimeout: 1_000 });
    await service().respondWorkflowTaskFailed({ ...(await nextTask()), cause: nonDeterministic });
    await service().respondWorkflowTaskCompleted({ ...(await nextTask()), commands: [] });
    await run(stream).signal(catchUp);
    for (let deaths = 0; deaths < 3; deaths += 1) {
      expect((await check({ patienceMs: 300 })).started).toEqual([]);
      await nextTask(); // The worker takes the task and never answers.
    }
    expect((await check({ patienceMs: 300 })).started).toEqual([]);
    await run(stream).terminate('as the test wishes');
    expect((await check()).started).toEqual([stream]);
  });

  it('wakes a run that has not heard of its newest events', async () => {
    const { stream, offerId } = await offering();
    const declined: RequestEvent = { type: 'offer.declined', offerId };
    await writeUnheard(suite.orm, stream, { id: provider.id, role: 'provider' }, [declined]);
    expect((await check()).caughtUp).toEqual([stream]);
    // No provider is left to answer: only a run that has folded the decline closes the round.
    await eventually(
      () => newest(stream),
      ({ type }) => type === 'request.unfilled',
      { what: 'the end of the request' },
    );
  });

  // The earlier release told the request in a step of its own.
  it.each([
    ['woken, when it has not heard of it', false],
    ['rebuilt, when it is gone', true],
  ])('a booking that has ended completes its request once, also when the request was not told: the run is %s', async (_, gone) => {
    const { id, stream, bookingId } = await booked();
    expect((await consumer.post(`/bookings/${bookingId}/check-in`)).status).toBe(200);
    if (gone) await run(stream).terminate('as the test wishes');
    await endedByEarlierRelease(`booking/${bookingId}`);
    expect((await consumer.get(`/requests/${id}`)).body.status).toBe('booked');
    expect(await check()).toMatchObject(gone ? { started: [stream] } : { started: [], caughtUp: [`review/${bookingId}`] });
    await completedOnce(id, stream);
    for (const side of [consumer, worker]) expect((await side.post(`/bookings/${bookingId}/review`, { rating: 5 })).status).toBe(201);
    expect(await run(stream).result()).toEqual({ outcome: 'completed' });
  });

  async function endedByEarlierRelease(stream: string): Promise<void> {
    const events = await eventsOf<BookingTimelineEvent>(suite.orm.em.fork(), stream, 0);
    const state = events.reduce(evolveBooking, emptyBooking);
    const by = { id: provider.id, role: 'provider' } as const;
    await writeUnheard(suite.orm, stream, by, decideBooking(state, { id: 'complete', do: 'completeBooking', by }, Date.now()));
  }

  async function completedOnce(id: string, stream: string): Promise<void> {
    await eventually(
      () => consumer.get(`/requests/${id}`),
      (answer) => answer.body.status === 'completed',
      { what: 'completion' },
    );
    expect(await suite.rows("select count(*)::int as n from event where stream = ? and type = 'request.completed'", [stream])).toEqual([
      { n: 1 },
    ]);
  }
});

describe('the reconciler reports and guesses nothing', () => {
  it('a status changed by hand', async () => {
    const { id, stream, offerId } = await offering();
    await suite.rows("update offer set status = 'withdrawn' where id = ?", [offerId]);
    const before = await newest(stream);
    expect((await check()).disagreements).toEqual([
      { stream, between: 'row and timeline', detail: `offer/${offerId}: row withdrawn, timeline invited` },
    ]);
    expect(await newest(stream)).toEqual(before);
    await suite.rows("update offer set status = 'invited' where id = ?", [offerId]);
    await consumer.post(`/requests/${id}/cancel`);
    await run(stream).result();
    expect(await check()).toMatchObject(nothing);
  });

  it('a row that waits although its stream has ended', async () => {
    const { id, stream } = await offering();
    await consumer.post(`/requests/${id}/cancel`);
    await suite.rows("update request set status = 'offering' where id = ?", [id]);
    expect((await check()).disagreements).toEqual([
      { stream, between: 'row and timeline', detail: `${stream}: row offering, timeline cancelled` },
      { stream, between: 'row and timeline', detail: 'row offering, but the stream is not open' },
    ]);
    await suite.rows("update request set status = 'cancelled' where id = ?", [id]);
  });

  it('an event deleted from the middle: no run decides on what is left', async () => {
    const { id, stream } = await offering();
    await run(stream).terminate('as the test wishes');
    const [gone] = await suite.rows<Json>('delete from event where stream = ? and seq = 3 returning *', [stream]);
    expect(await check()).toMatchObject({
      started: [],
      disagreements: [{ stream, between: 'timeline and its noun', detail: 'position 3 is missing' }],
    });
    // A run that an operator starts by hand also does not decide on an incomplete timeline: it asks for attention and waits.
    const [first] = await suite.rows<{ data: object }>('select data from event where stream = ? and seq = 1', [stream]);
    const before = await suite.rows('select seq from event where stream = ?', [stream]);
    await suite.temporal.workflow.start('requestWorkflow', {
      workflowId: stream,
      taskQueue: 'proxie',
      args: [first!.data],
      ...ofThisRelease,
    });
    await eventually(
      () => run(stream).describe(),
      ({ searchAttributes }) => searchAttributes['ProxieNeedsAttention']?.[0] === true,
    );
    expect(await suite.rows('select seq from event where stream = ?', [stream])).toEqual(before);
    await suite.rows(
      `insert into event (stream, seq, command_id, part, type, actor_id, actor_role, data, audience, at) select stream, seq, command_id, part, type, actor_id, actor_role, data, audience, at
       from jsonb_populate_record(null::event, ?::jsonb)`,
      [JSON.stringify(gone)],
    );
    // After the repair, the check wakes the run and the run continues.
    expect(await check()).toMatchObject({ ...nothing, caughtUp: [stream] });
    expect((await consumer.post(`/requests/${id}/cancel`)).status).toBe(200);
  });

  it('an event altered by hand into one that cannot follow', async () => {
    const { id, stream } = await offering();
    await suite.rows("update event set type = 'request.completed' where stream = ? and type = 'request.submitted'", [stream]);
    const [found] = (await check()).disagreements;
    expect(found).toMatchObject({ stream, between: 'timeline and its noun' });
    await suite.rows("update event set type = 'request.submitted' where stream = ? and type = 'request.completed'", [stream]);
    expect((await consumer.post(`/requests/${id}/cancel`)).status).toBe(200);
  });

  it('fault 26: a run that is ahead of its timeline', async () => {
    const { id, stream } = await offering();
    const { seq } = await newest(stream);
    await suite.rows('delete from event where stream = ? and seq = ?', [stream, seq]);
    expect((await check()).disagreements).toContainEqual({
      stream,
      between: 'run and timeline',
      detail: `run at ${seq}, timeline at ${seq - 1}: commits were lost`,
    });
    const refused = await consumer.post(`/requests/${id}/cancel`);
    expect(refused).toMatchObject({ status: 503, body: { code: 'timeline_behind' } });
    await forget(stream, id);
  });

  it('a stream that cannot be checked stops no other', async () => {
    const { id, stream } = await offering();
    await run(stream).terminate('as the test wishes');
    const unusable = 'request/not-an-id';
    await suite.rows('insert into open_stream (stream) values (?)', [unusable]);
    const data = { requestId: 'not-an-id', policy: {} };
    await suite.rows(
      `insert into event (stream, seq, command_id, type, actor_id, actor_role, data, at) values (?, 1, 'open', 'request.opened', ?, 'consumer', ?::jsonb, now())`,
      [unusable, provider.id, JSON.stringify(data)],
    );
    const report = await check();
    for (const table of ['open_stream', 'event']) await suite.rows(`delete from ${table} where stream = ?`, [unusable]);
    expect(report).toMatchObject({ started: [stream], disagreements: [], failed: [{ stream: unusable }] });
    await consumer.post(`/requests/${id}/cancel`);
  });

  it('a stream that is open and has no timeline', async () => {
    const stream = `request/${randomUUID()}`;
    await suite.rows('insert into open_stream (stream) values (?)', [stream]);
    const { disagreements, started } = await check();
    await suite.rows('delete from open_stream where stream = ?', [stream]);
    expect({ disagreements, started }).toEqual({
      disagreements: [{ stream, between: 'timeline and its noun', detail: 'the stream is open and has no events' }],
      started: [],
    });
  });

  it('a run that does not answer', async () => {
    const { stream } = await offering();
    await suite.stopWorker();
    try {
      expect((await check({ patienceMs: 300 })).disagreements).toContainEqual({
        stream,
        between: 'run and timeline',
        detail: 'the run does not answer: no worker, or its workflow task fails',
      });
    } finally {
      await suite.startWorker();
    }
    expect(await check()).toMatchObject(nothing);
  });

  /** Removes damage that a test cannot repair, so that the check of the next test does not find it. */
  async function forget(stream: string, id: string): Promise<void> {
    await run(stream).terminate('as the test wishes');
    for (const text of ['delete from offer where request_id = ?', 'delete from request where id = ?']) await suite.rows(text, [id]);
    for (const table of ['open_stream', 'event']) await suite.rows(`delete from ${table} where stream = ?`, [stream]);
  }
});
