import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventually, type Answer } from '../support/http.ts';
import { commandDeadlineMs, startStack, type Stack } from './harness.ts';
import { Ledger, persist, seen, type Journey } from './journey.ts';

jest.setTimeout(300_000);

/** The longest time from a command's deadline to the client's answer, on a busy machine. */
const slackMs = 7_000;

let stack: Stack;
let ledger: Ledger;

beforeAll(async () => {
  stack = await startStack();
  ledger = await Ledger.open(stack);
});
afterEach(async () => expect(await stack.check()).toMatchObject({ disagreements: [], failed: [] }));
afterAll(() => stack?.close());

async function timed<T>(work: Promise<T>): Promise<{ answer: T; ms: number }> {
  const began = Date.now();
  return { answer: await work, ms: Date.now() - began };
}

async function proposedJourney(): Promise<{ journey: Journey; accept: string; key: string }> {
  const journey = await ledger.journey();
  await journey.create();
  await journey.propose();
  return { journey, accept: `/offers/${await journey.offerId()}/accept`, key: randomUUID() };
}

function expectRefusedForNow({ answer, ms }: { answer: Answer; ms: number }): void {
  expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable', status: 503 } });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(ms).toBeLessThan(commandDeadlineMs + slackMs);
}

/** Reads need only Postgres. */
async function expectReadable({ consumer, requestId }: Journey): Promise<void> {
  for (const path of [
    `/requests/${requestId}`,
    `/requests/${requestId}/offers`,
    `/requests/${requestId}/timeline`,
    '/requests',
    '/bookings',
  ]) {
    const { answer, ms } = await timed(consumer.get(path));
    expect({ path, status: answer.status }).toEqual({ path, status: 200 });
    expect(ms).toBeLessThan(commandDeadlineMs);
  }
}

async function expectAcceptedOnce({ requestId }: Journey): Promise<void> {
  const [found] = await stack.rows(
    `select (select count(*)::int from booking where request_id = ?) as bookings, (select count(*)::int from event where stream = ? and type = 'offer.accepted') as accepted`,
    [requestId, `request/${requestId}`],
  );
  expect(found).toEqual({ bookings: 1, accepted: 1 });
}

describe('commands while a server is away: refused in time, never acknowledged and lost', () => {
  it('fault 20: Temporal is down; commands answer 503 with Retry-After, GETs answer 200', async () => {
    const { journey, accept, key } = await proposedJourney();
    await stack.temporal.kill();
    expectRefusedForNow(await timed(journey.consumer.post(accept, {}, { 'idempotency-key': key })));
    expectRefusedForNow(await timed(journey.consumer.post('/chat', { message: 'Are you there?' })));
    await expectReadable(journey);
    expect((await journey.consumer.get('/health/ready')).body).toMatchObject({
      status: 'degraded',
      temporal: 'unreachable',
      database: 'ok',
    });
    await stack.temporal.start();
    expect(await persist(journey.consumer, accept, {}, { key })).toMatchObject({ status: 201, body: { status: 'accepted' } });
    await expectAcceptedOnce(journey);
  });

  it('fault 20: Temporal is there and does not answer', async () => {
    const { journey, accept, key } = await proposedJourney();
    stack.temporal.freeze();
    try {
      expectRefusedForNow(await timed(journey.consumer.post(accept, {}, { 'idempotency-key': key })));
      await expectReadable(journey);
    } finally {
      stack.temporal.thaw();
    }
    expect(await persist(journey.consumer, accept, {}, { key })).toMatchObject({ status: 201, body: { status: 'accepted' } });
    await expectAcceptedOnce(journey);
  });

  it('fault 20: no worker runs; the command waits in Temporal and is carried out once when one is back', async () => {
    const { journey, accept, key } = await proposedJourney();
    await stack.worker.kill();
    expectRefusedForNow(await timed(journey.consumer.post(accept, {}, { 'idempotency-key': key })));
    await expectReadable(journey);
    await stack.worker.start();
    expect(await persist(journey.consumer, accept, {}, { key })).toMatchObject({ status: 201, body: { status: 'accepted' } });
    await expectAcceptedOnce(journey);
  });

  it('fault 25: Postgres is down; everything answers 503, and again within 5 s of its return', async () => {
    const { journey, accept, key } = await proposedJourney();
    await stack.postgres.kill();
    expectRefusedForNow(await timed(journey.consumer.post(accept, {}, { 'idempotency-key': key })));
    expectRefusedForNow(await timed(journey.consumer.get(`/requests/${journey.requestId}`)));
    expect((await journey.consumer.get('/health/live')).status).toBe(200);
    expect((await journey.consumer.get('/health/ready')).status).toBe(503);
    await stack.postgres.start();
    const { answer, ms } = await timed(persist(journey.consumer, accept, {}, { key }));
    expect(answer).toMatchObject({ status: 201, body: { status: 'accepted' } });
    expect(ms).toBeLessThan(5_000 + slackMs);
    await expectAcceptedOnce(journey);
  });

  it('fault 31: Postgres only reads; commands answer 503 and nothing is acknowledged', async () => {
    const { journey, accept, key } = await proposedJourney();
    await readOnly(true);
    // Postgres sessions learn of the setting one by one, within a moment. The test continues after the first refusal.
    await eventually(
      () => journey.consumer.post('/chat', { message: 'Are you there?' }),
      ({ status }) => status === 503,
      { what: 'the first refusal' },
    );
    const before = await stack.rows('select count(*) from event');
    expectRefusedForNow(await timed(journey.consumer.post(accept, {}, { 'idempotency-key': key })));
    expectRefusedForNow(await timed(journey.consumer.post('/chat', { message: 'Are you there?' })));
    expect(await stack.rows('select count(*) from event')).toEqual(before);
    await readOnly(false);
    expect(await persist(journey.consumer, accept, {}, { key })).toMatchObject({ status: 201, body: { status: 'accepted' } });
    await expectAcceptedOnce(journey);
    journey.bookingId = (await seen(journey.consumer, `/requests/${journey.requestId}`, ({ bookingId }) => bookingId)).bookingId;
    await journey.checkIn();
    await journey.complete();
    await journey.closed();
  });

  /** Makes Postgres refuse every statement that writes, as on a standby or a full disk. */
  async function readOnly(on: boolean): Promise<void> {
    await stack.rows(`alter system set default_transaction_read_only = ${on ? 'on' : 'off'}`);
    await stack.rows('select pg_reload_conf()');
  }
});
