import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventually, type Caller } from '../support/http.ts';
import { city, leakRequest, seedPlace, seedProvider, type SeededProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

// Durations: long enough that a busy machine answers in time, short enough for a quick test.
const policy = {
  intakeNudgeMs: 4_000,
  intakeCloseMs: 7_000,
  // No test answers in an urgent or early round, so these are short. Late rounds leave time to answer.
  roundWindowMs: { urgent: 1_500, soon: 1_500, flexible: 5_000 },
  decisionMs: 1_000,
  maxTurns: 2,
};

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite({ policy });
  await seedPlace(suite.orm);
});
afterAll(() => suite.close());

const typesOf = async (stream: string) =>
  (await suite.rows<{ type: string }>('select type from event where stream = ? order by seq', [stream])).map(({ type }) => type);
const closed = (consumer: Caller, id: string) =>
  eventually(
    async () => (await consumer.get(`/requests/${id}`)).body,
    ({ closedAt }) => closedAt !== null,
    { what: 'the end of the request' },
  );
/** A job next week. Its rounds are long. */
const nextWeek = () => {
  const from = Date.now() + 8 * 86_400_000;
  return { from: new Date(from).toISOString(), to: new Date(from + 4 * 3_600_000).toISOString(), zone: city.zone };
};
const far = { ...city, lat: 10, lon: 10 };

async function provider(options: object = {}): Promise<SeededProvider & { caller: Caller }> {
  const seeded = await seedProvider(suite.orm, options);
  return { ...seeded, caller: await suite.as(seeded.subject, 'provider') };
}

const invitationFor = async (requestId: string, providerId: string) => {
  const [offer] = await eventually(
    () => suite.rows<{ id: string }>('select id from offer where request_id = ? and provider_id = ?', [requestId, providerId]),
    (rows) => rows.length > 0,
    { what: 'the invitation' },
  );
  return offer!.id;
};

describe('timers of a request', () => {
  it('silence in intake: reminded once, then abandoned', async () => {
    const consumer = await suite.as('silent', 'consumer');
    const { body } = await consumer.post('/requests', leakRequest());
    expect(await closed(consumer, body.id)).toMatchObject({ status: 'abandoned', statusReason: 'idle' });
    expect((await typesOf(`request/${body.id}`)).slice(-2)).toEqual(['request.nudged', 'request.abandoned']);
  });

  it('nobody in reach: three wider rounds, then unfilled with a reason', async () => {
    const consumer = await suite.as('remote', 'consumer');
    const { body } = await consumer.post('/requests', leakRequest({ location: far, submit: true }));
    expect(await closed(consumer, body.id)).toMatchObject({ status: 'unfilled', statusReason: 'no_provider_found', round: 3 });
    const rounds = await suite.rows<{ data: { radiusKm: number } }>(
      "select data from event where stream = ? and type = 'round.opened' order by seq",
      [`request/${body.id}`],
    );
    expect(rounds.map(({ data }) => data.radiusKm)).toEqual([10, 15, 22.5]);
  });

  it('a round reminds at half-time and closes; an offer nobody decides on ends the request', async () => {
    const consumer = await suite.as('undecided', 'consumer');
    const { id, caller } = await provider({ service: 'cleaning.standard', price: 10_000, licensedFor: null, lat: 20, lon: 20 });
    await provider({ service: 'cleaning.standard', price: 10_000, licensedFor: null, lat: 20, lon: 20 });
    const { body } = await consumer.post(
      '/requests',
      leakRequest({
        service: 'cleaning.standard',
        details: { bedrooms: 2 },
        location: { ...city, lat: 20, lon: 20 },
        when: nextWeek(),
        submit: true,
      }),
    );
    await caller.post(`/offers/${await invitationFor(body.id, id)}/propose`);
    expect(await closed(consumer, body.id)).toMatchObject({ status: 'unfilled', statusReason: 'no_decision' });
    expect(await typesOf(`request/${body.id}`)).toEqual([
      'request.opened',
      'request.edited',
      'request.submitted',
      'round.opened',
      'offer.invited',
      'offer.invited',
      'offer.proposed',
      'round.reminded',
      'offer.expired',
      'round.closed',
      'offer.superseded',
      'request.unfilled',
    ]);
  });
});

describe('the search goes on', () => {
  it('when the booked provider drops out: same request, same consent, without them', async () => {
    const place = { ...city, lat: 30, lon: 30 };
    const [first, second] = [await provider({ price: 10_000, ...place }), await provider({ price: 39_000, ...place })];
    const consumer = await suite.as('patient', 'consumer');
    const { body } = await consumer.post('/requests', leakRequest({ location: place, when: nextWeek(), submit: true, mode: 'instant' }));
    await first.caller.post(`/offers/${await invitationFor(body.id, first.id)}/accept`);
    const { bookingId } = (await consumer.get(`/requests/${body.id}`)).body;
    await eventually(
      async () => (await consumer.get(`/bookings/${bookingId}`)).body.status,
      (status) => status === 'confirmed',
    );
    expect(await first.caller.post(`/bookings/${bookingId}/cancel`, { reason: 'ill' })).toMatchObject({
      status: 200,
      body: { status: 'cancelled' },
    });
    const again = await eventually(
      async () => (await consumer.get(`/requests/${body.id}`)).body,
      ({ status }) => status !== 'booked',
      { what: 'the search' },
    );
    expect(again).toMatchObject({ bookingId: null, acceptedOfferId: null });
    expect(await typesOf(`request/${body.id}`)).toContain('request.reopened');
    const invited = await suite.rows<{ provider_id: string }>('select provider_id from offer where request_id = ? and round > 1', [
      body.id,
    ]);
    expect(invited.map(({ provider_id }) => provider_id)).not.toContain(first.id);
    expect(second.id).not.toBe(first.id);
  });
});

describe('messages to a run', () => {
  it('a refused Update leaves no event in the history', async () => {
    const consumer = await suite.as('refused', 'consumer');
    const { body } = await consumer.post('/requests', leakRequest());
    const handle = suite.temporal.workflow.getHandle(`request/${body.id}`);
    const before = (await handle.describe()).historyLength;
    expect(await consumer.post(`/requests/${body.id}/submit`, { draftHash: 'something-else' })).toMatchObject({
      status: 409,
      body: { code: 'draft_changed' },
    });
    expect((await handle.describe()).historyLength).toBe(before);
  });

  it('a signal that does not fit is written on the timeline as refused and changes nothing', async () => {
    const own = await provider({ lat: 40, lon: 40 });
    const consumer = await suite.as('signalled', 'consumer');
    const { body } = await consumer.post(
      '/requests',
      leakRequest({ location: { ...city, lat: 40, lon: 40 }, when: nextWeek(), submit: true, mode: 'instant' }),
    );
    await invitationFor(body.id, own.id);
    const handle = suite.temporal.workflow.getHandle(`request/${body.id}`);
    for (const fact of [
      undefined,
      {},
      { offerId: randomUUID(), providerId: own.id, eventId: 'e1' },
      { offerId: 7, providerId: 'x\u0000', eventId: ' ' },
    ])
      await handle.signal('offerAccepted', fact);
    const refused = await eventually(
      () =>
        suite.rows<{ data: { code: string } }>("select data from event where stream = ? and type = 'command.refused'", [
          `request/${body.id}`,
        ]),
      (rows) => rows.length === 4,
      { what: 'four refusals' },
    );
    expect(new Set(refused.map(({ data }) => data.code))).toEqual(new Set(['not_found']));
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  it('a conversation that continues as new runs loses no message and answers each once', async () => {
    const consumer = await suite.as('talkative', 'consumer');
    const first = await consumer.post('/chat', { message: 'hello' });
    const { requestId } = first.body;
    for (const message of ['I need somebody', 'for my home', 'in Downtown', 'a leak in the kitchen']) {
      expect((await consumer.post('/chat', { message, requestId })).status).toBe(202);
    }
    const completed = () =>
      suite.rows<{ turn: string }>("select data ->> 'turnId' as turn from event where stream = ? and type = 'turn.completed'", [
        `request/${requestId}`,
      ]);
    await eventually(completed, (rows) => rows.length >= 5, { what: 'five answers' });
    // The run is quiet now and continues as a new one. These messages arrive while it does.
    for (const [index, message] of ['today', 'or tomorrow', 'please'].entries()) {
      expect((await consumer.post('/chat', { message, requestId })).status).toBe(202);
      await eventually(completed, (rows) => rows.length >= 6 + index, { what: 'one more answer' });
    }
    const turns = await suite.rows<{ status: string }>('select status from turn where stream = ?', [`request/${requestId}`]);
    expect(turns.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 'done'));
    expect(new Set((await completed()).map(({ turn }) => turn)).size).toBe(8);
    const { runId } = await suite.temporal.workflow.getHandle(`request/${requestId}`).describe();
    const history = await suite.temporal.workflow.getHandle(`request/${requestId}`, runId).fetchHistory();
    expect(history.events![0]!.workflowExecutionStartedEventAttributes!.continuedExecutionRunId).toBeTruthy();
  });

  it('fault 6: a message to a request that has ended is refused, and no second run exists', async () => {
    const consumer = await suite.as('late', 'consumer');
    const { body } = await consumer.post('/requests', leakRequest());
    await consumer.post(`/requests/${body.id}/cancel`, { reason: 'changed my mind' });
    await closed(consumer, body.id);
    expect(await consumer.post('/chat', { message: 'still there?', requestId: body.id })).toMatchObject({
      status: 409,
      body: { code: 'invalid_transition' },
    });
    const runs = [];
    for await (const run of suite.temporal.workflow.list({ query: `WorkflowId = 'request/${body.id}'` })) runs.push(run);
    expect(runs.length).toBeLessThanOrEqual(1);
  });

  it('a row changed by hand parks the run for attention instead of being guessed over; repaired and woken, it goes on', async () => {
    await provider({ service: 'cleaning.deep', price: 20_000, licensedFor: null, lat: 50, lon: 50 });
    const consumer = await suite.as('tampered', 'consumer');
    const { body } = await consumer.post(
      '/requests',
      leakRequest({
        service: 'cleaning.deep',
        details: { bedrooms: 2 },
        location: { ...city, lat: 50, lon: 50 },
        when: nextWeek(),
        submit: true,
      }),
    );
    await eventually(
      async () => (await consumer.get(`/requests/${body.id}`)).body.status,
      (status) => status === 'offering',
    );
    await suite.rows("update request set status = 'completed' where id = ?", [body.id]);
    const handle = suite.temporal.workflow.getHandle(`request/${body.id}`);
    await eventually(
      async () => (await handle.describe()).searchAttributes?.['ProxieNeedsAttention']?.[0],
      (value) => value === true,
      { what: 'the mark for attention' },
    );
    await suite.rows("update request set status = 'offering' where id = ?", [body.id]);
    await handle.signal('catchUp');
    expect(await closed(consumer, body.id)).toMatchObject({ status: 'unfilled' });
  });

  it('a search that cannot go on is parked for attention, and goes on when the cause is repaired and the run woken', async () => {
    const consumer = await suite.as('facts-gone', 'consumer');
    const { body } = await consumer.post('/requests', leakRequest({ location: far }));
    const [fact] = await suite.rows<{ id: string; key: string }>("select id, key from fact where stream = ? and key = 'service'", [
      `request/${body.id}`,
    ]);
    await suite.rows("update fact set key = 'gone' where id = ?", [fact!.id]);
    await consumer.post(`/requests/${body.id}/submit`, { draftHash: body.draftHash });
    const handle = suite.temporal.workflow.getHandle(`request/${body.id}`);
    const marked = async () => (await handle.describe()).searchAttributes?.['ProxieNeedsAttention']?.[0];
    await eventually(marked, (value) => value === true, { what: 'the mark for attention' });
    await suite.rows("update fact set key = 'service' where id = ?", [fact!.id]);
    await handle.signal('catchUp');
    expect(await closed(consumer, body.id)).toMatchObject({ status: 'unfilled' });
    expect(await marked()).toBe(false);
  });

  it("an operator's intervention needs a reason's author, lands on the timeline and closes the request", async () => {
    const consumer = await suite.as('helped', 'consumer');
    const { body } = await consumer.post('/requests', leakRequest());
    const handle = suite.temporal.workflow.getHandle(`request/${body.id}`);
    const command = { id: 'op-1', by: { id: randomUUID(), role: 'admin' }, action: 'close', ticket: 'T-1', reason: 'asked by phone' };
    await handle.executeUpdate('intervene', { args: [command] });
    expect(await closed(consumer, body.id)).toMatchObject({ status: 'cancelled', statusReason: 'operator' });
    const [event] = await suite.rows(
      "select reason, data ->> 'ticket' as ticket, actor_role from event where stream = ? and type = 'operator.intervened'",
      [`request/${body.id}`],
    );
    expect(event).toEqual({ reason: 'asked by phone', ticket: 'T-1', actor_role: 'admin' });
  });
});
