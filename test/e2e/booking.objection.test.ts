import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { book, minuteMs, quarter, runEnded, type Booked, type BookOptions } from '../support/booked.ts';
import { run } from '../support/held.ts';
import { eventually, type Caller } from '../support/http.ts';
import { accepted } from '../support/play.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let suite: Suite;
let operator: Caller;
beforeAll(async () => {
  suite = await startSuite();
  operator = await suite.as('operator', 'admin');
});
afterAll(() => suite.close());

const refused = (status: number, code: string, more: object = {}) => ({ status, body: expect.objectContaining({ code, ...more }) });
const usd = (amount: number) => ({ amount, currency: 'USD' });
const reason = 'I was there all the time';
/** A slot that began an hour ago: every grace has ended. */
const missed = (more: BookOptions = {}) => book(suite, { startsAt: quarter(-75 * minuteMs), ...more });

/** A completed booking whose run has ended. */
async function done(more: BookOptions = {}): Promise<Booked> {
  const booking = await missed({ ...more, policy: { reviewRemindMs: 1, reviewPublishMs: 1, ...more.policy } });
  accepted(await booking.consumer.post(`${booking.path}/check-in`));
  accepted(await booking.provider.post(`${booking.path}/complete`));
  await runEnded(suite, booking);
  return booking;
}

/** A booking with a reported no-show whose run has ended. */
async function absent(side: 'consumer' | 'provider', more: BookOptions = {}): Promise<Booked> {
  const booking = await missed(more);
  accepted(await booking[side === 'consumer' ? 'provider' : 'consumer'].post(`${booking.path}/no-show`));
  await runEnded(suite, booking);
  return booking;
}

const contest = (booking: Booked, side: 'consumer' | 'provider', headers?: Record<string, string>) =>
  booking[side].post(`${booking.path}/contest`, { reason }, headers);
const dispute = (booking: Booked, side: 'consumer' | 'provider', headers?: Record<string, string>) =>
  booking[side].post(`${booking.path}/dispute`, { reason }, headers);
const rule = ({ path }: Booked, refund?: number) =>
  operator.post(`/admin${path}/intervene`, {
    action: 'rule',
    ticket: 'T-9',
    reason: 'both were heard',
    ...(refund !== undefined && { refund: usd(refund) }),
  });
const runsOf = async ({ requestId }: Booked) => {
  const runs = [];
  for await (const one of suite.temporal.workflow.list({ query: `WorkflowId = 'request/${requestId}'` })) runs.push(one);
  return runs.length;
};
const latestRun = async ({ requestId }: Booked) => (await suite.temporal.workflow.getHandle(`request/${requestId}`).describe()).runId;

describe('no-show', () => {
  it.each([
    ['consumer', 'provider', 15_000],
    ['provider', 'consumer', 0],
  ] as const)(
    'the %s did not come, says the %s: it ends, with the fee of the policy, until when to contest it, and both are told',
    async (who, by, fee) => {
      const booking = await missed();
      const reported = accepted(await booking[by].post(`${booking.path}/no-show`));
      expect(reported).toMatchObject({
        status: 'no_show',
        statusReason: who,
        fee: usd(fee),
        contestUntil: expect.any(String),
        disputeUntil: null,
      });
      expect(Date.parse(reported.contestUntil) - Date.parse(reported.closedAt)).toBe(2 * 24 * 60 * minuteMs);
      for (const side of ['consumer', 'provider'] as const)
        expect(await booking.told(side)).toEqual(['booking_confirmed', 'booking_no_show']);
    },
  );

  it('within the grace it is refused to both, and after a check-in as well', async () => {
    const booking = await book(suite, { startsAt: quarter(-14 * minuteMs) });
    for (const side of ['consumer', 'provider'] as const)
      expect(await booking[side].post(`${booking.path}/no-show`)).toMatchObject(refused(409, 'too_early'));
    accepted(await booking.consumer.post(`${booking.path}/check-in`));
    expect(await booking.provider.post(`${booking.path}/no-show`)).toMatchObject(refused(409, 'invalid_transition'));
  });
});

describe('contesting a no-show', () => {
  it('starts the run again: an operator rules, and both are told', async () => {
    const booking = await absent('consumer');
    const before = await latestRun(booking);
    expect(accepted(await contest(booking, 'consumer'))).toMatchObject({ status: 'disputed', fee: usd(15_000) });
    expect(await latestRun(booking)).not.toBe(before);
    // Operators find the contest.
    const { status, searchAttributes } = await eventually(
      () => suite.temporal.workflow.getHandle(`request/${booking.requestId}`).describe(),
      ({ searchAttributes: found }) => found?.['ProxieStage']?.[0] === 'disputed',
      { what: 'the stage' },
    );
    expect({ status: status.name, provider: searchAttributes?.['ProxieProvider'] }).toEqual({
      status: 'RUNNING',
      provider: [booking.providerId],
    });
    expect(accepted(await rule(booking, 15_000))).toMatchObject({ status: 'settled', refund: usd(15_000) });
    await runEnded(suite, booking);
    expect((await booking.types()).slice(2)).toEqual(['booking.no_show', 'booking.disputed', 'operator.intervened', 'booking.settled']);
    expect(await booking.told('provider')).toEqual(['booking_confirmed', 'booking_no_show', 'booking_disputed', 'booking_settled']);
    expect(await suite.rows('select 1 from open_stream where stream = ?', [`booking/${booking.id}`])).toEqual([]);
  });

  it('only the side that is said to have been absent may, and says why; no run is started for a refusal', async () => {
    const booking = await absent('provider');
    expect(await contest(booking, 'consumer')).toMatchObject(refused(403, 'forbidden_role'));
    expect(await booking.provider.post(`${booking.path}/contest`, {})).toMatchObject(refused(422, 'validation_failed'));
    const wrong = await dispute(booking, 'provider');
    expect(wrong).toMatchObject(refused(409, 'invalid_transition', { allowed: ['contestNoShow'] }));
    expect(wrong.body.next).toContainEqual(expect.objectContaining({ href: `/api/v1${booking.path}/contest` }));
    expect(await runsOf(booking)).toBe(1);
    expect(accepted(await contest(booking, 'provider'))).toMatchObject({ status: 'disputed' });
  });

  it('after the window it is too late', async () => {
    const booking = await absent('consumer', { policy: { contestMs: 1 } });
    expect(await contest(booking, 'consumer')).toMatchObject(refused(409, 'too_late', { currentStatus: 'no_show' }));
    expect(await runsOf(booking)).toBe(1);
  });
});

describe('disputing a completed booking', () => {
  it.each(['consumer', 'provider'] as const)('by the %s: an operator rules within what was charged', async (side) => {
    const booking = await done();
    expect(accepted(await booking.consumer.get(booking.path))).toMatchObject({ disputeUntil: expect.any(String), contestUntil: null });
    expect(accepted(await dispute(booking, side))).toMatchObject({ status: 'disputed', disputeUntil: null });
    expect(await dispute(booking, side === 'consumer' ? 'provider' : 'consumer')).toMatchObject(refused(409, 'invalid_transition'));
    expect(await rule(booking, 15_001)).toMatchObject(
      refused(422, 'price_out_of_bounds', { fields: [{ field: '/refund', message: '0 to 15000' }] }),
    );
    expect(accepted(await rule(booking))).toMatchObject({ status: 'settled', refund: usd(0) });
    expect(await rule(booking, 1)).toMatchObject(refused(409, 'invalid_transition', { currentStatus: 'settled' }));
  });

  it('the same key again, after the ruling and the end of the run, gets its answer and starts nothing', async () => {
    const booking = await done();
    const key = { 'idempotency-key': randomUUID() };
    const first = await dispute(booking, 'consumer', key);
    accepted(await rule(booking, 5_000));
    await runEnded(suite, booking);
    expect(await dispute(booking, 'consumer', key)).toMatchObject({ status: 200, body: first.body });
    // The stored answer is lost. The timeline still knows the command.
    await suite.rows('delete from idempotency_key');
    expect(await dispute(booking, 'consumer', key)).toMatchObject({ status: 200, body: { status: 'settled', refund: usd(5_000) } });
    expect(await runsOf(booking)).toBe(2);
    expect((await booking.types()).filter((type) => type === 'booking.disputed')).toHaveLength(1);
  });

  it('given the row says yes and the timeline no, the run decides, ends again and leaves nothing open', async () => {
    const booking = await done({ policy: { disputeMs: 1 } });
    await suite.rows("update booking set closed_at = now() + interval '1 hour' where id = ?", [booking.id]);
    expect(await dispute(booking, 'consumer')).toMatchObject(refused(409, 'too_late'));
    await runEnded(suite, booking);
    expect(await runsOf(booking)).toBe(2);
    expect(await suite.rows('select 1 from open_stream where stream = ?', [`booking/${booking.id}`])).toEqual([]);
    expect((await booking.types()).at(-1)).toBe('booking.completed');
  });

  it('after the window it is too late; what never took place cannot be disputed', async () => {
    const [late, cancelled] = await Promise.all([done({ policy: { disputeMs: 1 } }), book(suite)]);
    expect(await dispute(late, 'provider')).toMatchObject(refused(409, 'too_late'));
    accepted(await cancelled.consumer.post(`${cancelled.path}/cancel`));
    for (const objection of [contest, dispute])
      expect(await objection(cancelled, 'consumer')).toMatchObject(refused(409, 'invalid_transition'));
    expect(await contest(await done(), 'consumer')).toMatchObject(refused(409, 'invalid_transition', { allowed: ['disputeBooking'] }));
  });

  it('while no worker runs a dispute waits in Temporal and is carried out once', async () => {
    const booking = await done();
    await suite.stopWorker();
    const answer = dispute(booking, 'consumer');
    await suite.startWorker();
    expect(accepted(await answer)).toMatchObject({ status: 'disputed' });
  });

  it('a disputed booking whose run is lost starts again and still waits for the ruling', async () => {
    const booking = await done();
    accepted(await dispute(booking, 'provider'));
    await suite.temporal.workflow.getHandle(`request/${booking.requestId}`).terminate('lost');
    await run(suite, booking.requestId);
    expect(accepted(await rule(booking, 15_000))).toMatchObject({ status: 'settled' });
  });
});
