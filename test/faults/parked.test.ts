import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reconcile } from '../../src/activities/reconcile.ts';
import { bookingUpdates } from '../../src/contracts/booking.messages.ts';
import { fromFailure } from '../../src/contracts/failures.ts';
import { catchUp } from '../../src/contracts/run.messages.ts';
import { book, minuteMs, quarter, type Booked, type BookOptions } from '../support/booked.ts';
import { eventually } from '../support/http.ts';
import { accepted, untilStatus } from '../support/play.ts';
import { startSuite, type Suite } from '../support/suite.ts';

const run = (suite: Suite, { requestId }: Booked) => suite.temporal.workflow.getHandle(`request/${requestId}`);

/** Waits until the run is on the operators' list, or off it. */
async function untilFlagged(suite: Suite, one: Booked, flagged: boolean): Promise<void> {
  await eventually(
    () => run(suite, one).describe(),
    ({ searchAttributes }) => (searchAttributes['ProxieNeedsAttention']?.[0] ?? false) === flagged,
    { what: flagged ? 'the call for an operator' : 'the end of the call for an operator', withinMs: 20_000 },
  );
}

/** What an operator does after a repair. The run leaves their list. */
async function repaired(suite: Suite, one: Booked): Promise<void> {
  await run(suite, one).signal(catchUp);
  await untilFlagged(suite, one, false);
}

const began = (suite: Suite, options: BookOptions = {}) => book(suite, { startsAt: quarter(15 * minuteMs), ...options });

async function completed(suite: Suite, options?: BookOptions): Promise<Booked> {
  const one = await began(suite, options);
  accepted(await one.consumer.post(`${one.path}/check-in`));
  accepted(await one.provider.post(`${one.path}/complete`));
  return one;
}

const review = (one: Booked, side: 'consumer' | 'provider') => one[side].post(`${one.path}/review`, { rating: 5, text: 'Well done' });
const dispute = (one: Booked) => one.consumer.post(`${one.path}/dispute`, { reason: 'it still leaks' });
const typesOf = async (suite: Suite, stream: string) =>
  (await suite.rows<{ type: string }>('select type from event where stream = ? order by seq', [stream])).map(({ type }) => type);
const happened = (suite: Suite, stream: string, type: string) =>
  eventually(
    () => typesOf(suite, stream),
    (types) => types.filter((one) => one === type).length === 1,
    { what: `${type} of ${stream}`, withinMs: 20_000 },
  );
const ended = async (suite: Suite, one: Booked) => expect(await run(suite, one).result()).toEqual({ outcome: 'completed' });

describe('a stream that cannot be folded or written', () => {
  let suite: Suite;
  beforeAll(async () => {
    suite = await startSuite();
  });
  afterAll(() => suite.close());

  it('reviews with an event of a later release: the booking takes commands, the run calls an operator and goes on after the repair', async () => {
    const one = await completed(suite);
    const stream = `review/${one.id}`;
    await suite.rows(
      `insert into event (stream, seq, command_id, type, actor_id, actor_role, data, at)
       select stream, seq + 1, 'by hand', 'review.of_a_later_release', actor_id, actor_role, '{}', at from event where stream = ?`,
      [stream],
    );
    await run(suite, one).signal(catchUp);
    await untilFlagged(suite, one, true);
    expect(await review(one, 'consumer')).toMatchObject({ status: 503, body: { code: 'stream_parked' } });
    expect(await typesOf(suite, stream)).toHaveLength(2);

    expect((await dispute(one)).status).toBe(200);
    expect((await one.consumer.post(`/requests/${one.requestId}/cancel`)).status).toBe(409); // by its own rule

    await suite.rows("delete from event where stream = ? and command_id = 'by hand'", [stream]);
    await settle(suite, one);
    await repaired(suite, one);
    for (const side of ['consumer', 'provider'] as const) expect((await review(one, side)).status).toBe(201);
    await ended(suite, one);
  });

  it('a row of the request changed by hand: its booking and reviews run their ways, and the request hears of the end after the repair', async () => {
    const one = await began(suite);
    const status = (to: string) => suite.rows('update request set status = ? where id = ?', [to, one.requestId]);
    await status('offering');
    accepted(await one.consumer.post(`${one.path}/check-in`));
    expect((await one.provider.post(`${one.path}/complete`)).status).toBe(200);
    for (const side of ['consumer', 'provider'] as const) expect((await review(one, side)).status).toBe(201);
    await untilFlagged(suite, one, true);
    expect(await typesOf(suite, `request/${one.requestId}`)).not.toContain('request.completed');
    expect((await typesOf(suite, `review/${one.id}`)).at(-1)).toBe('review.closed');
    await status('booked');
    await run(suite, one).signal(catchUp);
    await ended(suite, one);
    await happened(suite, `request/${one.requestId}`, 'request.completed');
    await untilFlagged(suite, one, false);
  });

  it('a row of the booking changed by hand: its reviews are written and published, and it takes commands after the repair', async () => {
    const one = await completed(suite);
    const status = (to: string) => suite.rows('update booking set status = ? where id = ?', [to, one.id]);
    await status('settled');
    // The API reads the row and would refuse by itself, so the command goes to the run.
    const by = { id: one.consumerId, role: 'consumer' } as const;
    const refused = await run(suite, one)
      .executeUpdate(bookingUpdates.disputeBooking, { args: [{ id: 'dispute', by, bookingId: one.id, reason: 'it still leaks' }] })
      .catch(fromFailure);
    expect(refused).toMatchObject({ code: 'row_disagrees' });
    await untilFlagged(suite, one, true);
    expect((await review(one, 'consumer')).status).toBe(201);
    await status('completed');
    await repaired(suite, one);
    expect((await dispute(one)).status).toBe(200);
    expect((await review(one, 'provider')).status).toBe(201);
    await settle(suite, one);
    await ended(suite, one);
    expect(await reconcile(suite, { quietMs: 0 })).toMatchObject({ disagreements: [], failed: [], started: [], caughtUp: [] });
  });
});

/** Ends a dispute, so that nothing but the ruling keeps the run on the operators' list. */
async function settle(suite: Suite, one: Booked): Promise<void> {
  const operator = await suite.as('operator', 'admin');
  const ruling = { action: 'rule', ticket: 'T-1', reason: 'both were heard', refund: { amount: 0, currency: 'USD' } };
  expect((await operator.post(`/admin/bookings/${one.id}/intervene`, ruling)).status).toBe(200);
  await untilStatus(suite, 'booking' as never, one.id, 'settled');
}

describe('a life whose code throws', () => {
  let suite: Suite;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'proxie-parked-'));
    const original = process.env.PROXIE_TEST_BUNDLE!;
    const file = join(folder, 'workflows.js');
    writeFileSync(file, withBugs(readFileSync(original, 'utf8')));
    process.env.PROXIE_TEST_BUNDLE = file;
    try {
      suite = await startSuite();
    } finally {
      process.env.PROXIE_TEST_BUNDLE = original;
    }
  });
  afterAll(async () => {
    await suite?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('of the reviews: the booking and its reviews take commands, and the life goes on after the repair', async () => {
    const one = await completed(suite, { policy: { reviewRemindMs: 1 } });
    await untilFlagged(suite, one, true);
    expect((await dispute(one)).status).toBe(200);
    await settle(suite, one);
    await untilFlagged(suite, one, true);
    // The life throws until the consumer has written, so this command is the repair.
    expect((await review(one, 'consumer')).status).toBe(201);
    expect(await typesOf(suite, `review/${one.id}`)).not.toContain('review.reminded');
    await repaired(suite, one);
    await happened(suite, `review/${one.id}`, 'review.reminded');
    expect((await review(one, 'provider')).status).toBe(201);
    await ended(suite, one);
  });

  it('of the booking: it is completed, its request with it, and its reviews are published', async () => {
    const one = await began(suite);
    const slot = { startsAt: new Date(one.startsAt + 24 * 60 * minuteMs).toISOString() };
    accepted(await one.provider.post(`${one.path}/reschedule`, { slot }));
    await untilFlagged(suite, one, true);
    accepted(await one.consumer.post(`${one.path}/check-in`));
    expect((await one.provider.post(`${one.path}/complete`)).status).toBe(200);
    await happened(suite, `request/${one.requestId}`, 'request.completed');
    for (const side of ['consumer', 'provider'] as const) expect((await review(one, side)).status).toBe(201);
    await ended(suite, one);
  });

  it('of the booking: what was due meanwhile happens once after the repair', async () => {
    const startsAt = quarter(15 * minuteMs);
    const due = Date.now() + 5_000;
    const quietHours = { fromMinute: 0, toMinute: 0 };
    const one = await began(suite, { startsAt, policy: { reminderBeforeMs: [startsAt - due], quietHours } });
    const slot = { startsAt: new Date(one.startsAt + 24 * 60 * minuteMs).toISOString() };
    accepted(await one.provider.post(`${one.path}/reschedule`, { slot }));
    await untilFlagged(suite, one, true);
    accepted(await one.provider.post(`${one.path}/reschedule/answer`, { accept: false }));
    await eventually(
      async () => Date.now(),
      (now) => now > due,
      { what: 'the time of the reminder' },
    );
    expect(await one.types()).not.toContain('booking.reminded');
    await repaired(suite, one);
    await happened(suite, `booking/${one.id}`, 'booking.reminded');
    accepted(await one.consumer.post(`${one.path}/check-in`));
  });
});

/** The workflows of a release with two mistakes: lives that throw for some states. Each mistake fits the code exactly once. */
function withBugs(bundle: string): string {
  const mistakes = [
    ['async function liveReviews(review, clock) {', "if (review.state.sides.consumer === 'waiting') throw new Error('a mistake');"],
    [
      'async function liveOn() {\n        const over = ()=>(0,_domain_booking_state_ts__WEBPACK_IMPORTED_MODULE_3__.isOver)(booking.state);\n        while(!over()){',
      "if (booking.state.reschedule) throw new Error('a mistake');",
    ],
  ] as const;
  return mistakes.reduce((code, [place, mistake]) => {
    expect(code.split(place)).toHaveLength(2);
    return code.replace(place, `${place}${mistake}`);
  }, bundle);
}
