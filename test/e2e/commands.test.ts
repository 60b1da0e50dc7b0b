import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventually, type Caller } from '../support/http.ts';
import { leakRequest, seedProvider, type SeededProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let suite: Suite;
let provider: SeededProvider;

beforeAll(async () => {
  suite = await startSuite();
  provider = await seedProvider(suite.orm);
});
afterAll(() => suite.close());

interface Offered {
  consumer: Caller;
  requestId: string;
  offerId: string;
}

/** A request of a new consumer whose only invitation goes to `provider`. */
async function invited(name: string, more: object = {}): Promise<Offered> {
  const consumer = await suite.as(name, 'consumer');
  const { body } = await consumer.post('/requests', leakRequest({ submit: true, ...more }));
  const [offer] = await eventually(
    () => suite.rows<{ id: string }>('select id from offer where request_id = ?', [body.id]),
    (rows) => rows.length > 0,
    { what: 'the invitation' },
  );
  return { consumer, requestId: body.id, offerId: offer!.id };
}

describe('a slot that many want', () => {
  it('fault 7: one request, three proposals, all accepted at the same moment: one wins', async () => {
    const others = await Promise.all([seedProvider(suite.orm, { price: 12_000 }), seedProvider(suite.orm, { price: 13_000 })]);
    const consumer = await suite.as('greedy', 'consumer');
    const { body } = await consumer.post('/requests', leakRequest({ submit: true }));
    const rows = await eventually(
      () => suite.rows<{ id: string; provider_id: string }>('select id, provider_id from offer where request_id = ?', [body.id]),
      (found) => found.length === 3,
    );
    const subjects = new Map([provider, ...others].map(({ id, subject }) => [id, subject]));
    for (const { id, provider_id } of rows)
      expect((await (await suite.as(subjects.get(provider_id)!, 'provider')).post(`/offers/${id}/propose`)).status).toBe(200);
    const answers = await Promise.all(rows.map(({ id }) => consumer.post(`/offers/${id}/accept`)));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409, 409]);
    expect(await suite.rows('select id from booking where request_id = ?', [body.id])).toHaveLength(1);
  });
});

describe('Idempotency-Key', () => {
  it('fault 61: the same key and body again: the same answer, one effect', async () => {
    const consumer = await suite.as('idempotent', 'consumer');
    const key = { 'idempotency-key': randomUUID() };
    const body = leakRequest();
    const first = await consumer.post('/requests', body, key);
    const second = await consumer.post('/requests', body, key);
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(await suite.rows('select id from request where id = ?', [first.body.id])).toHaveLength(1);
    expect((await consumer.get('/requests')).body.items).toHaveLength(1);
  });

  it('fault 61: the same key with another body is refused with 422', async () => {
    const consumer = await suite.as('idempotent-2', 'consumer');
    const key = { 'idempotency-key': randomUUID() };
    await consumer.post('/requests', leakRequest(), key);
    expect(await consumer.post('/requests', leakRequest({ mode: 'instant' }), key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
  });

  it('fault 61: the same key while the first is still running is refused with 409', async () => {
    const consumer = await suite.as('idempotent-3', 'consumer');
    const key = { 'idempotency-key': randomUUID() };
    const body = leakRequest();
    const answers = await Promise.all([1, 2, 3, 4].map(() => consumer.post('/requests', body, key)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(1);
    for (const { status, body: problem } of answers)
      if (status !== 201) expect({ status, code: problem.code }).toEqual({ status: 409, code: 'idempotency_in_flight' });
    expect((await consumer.get('/requests')).body.items).toHaveLength(1);
  });

  it('fault 61: without a key 400, and another user with the same key is independent', async () => {
    const [one, two] = [await suite.as('idempotent-4', 'consumer'), await suite.as('idempotent-5', 'consumer')];
    expect(await one.send('POST', '/requests', leakRequest())).toMatchObject({ status: 201 }); // `send` adds an Idempotency-Key by itself.
    const raw = await fetch(`${suite.url}/api/v1/requests`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await suite.token('idempotent-4', 'consumer')}`, 'content-type': 'application/json' },
      body: JSON.stringify(leakRequest()),
    });
    expect({ status: raw.status, code: ((await raw.json()) as { code: string }).code }).toEqual({
      status: 400,
      code: 'idempotency_key_missing',
    });
    const key = { 'idempotency-key': randomUUID() };
    const body = leakRequest();
    const [a, b] = [await one.post('/requests', body, key), await two.post('/requests', body, key)];
    expect(a.body.id).not.toBe(b.body.id);
  });
});

describe('refusals', () => {
  it('no token, a broken token, an expired token: 401', async () => {
    expect((await suite.anonymous.get('/requests')).status).toBe(401);
    for (const token of ['nonsense', 'a.b.c', `${(await suite.token('x', 'consumer')).slice(0, -4)}AAAA`]) {
      const answer = await fetch(`${suite.url}/api/v1/requests`, { headers: { authorization: `Bearer ${token}` } });
      expect(answer.status).toBe(401);
      await answer.body?.cancel();
    }
  });

  it('the wrong role 403; somebody else’s thing 403; an unknown id 404', async () => {
    const { offerId, requestId } = await invited('owner');
    const stranger = await suite.as('stranger', 'consumer');
    expect(await stranger.get('/leads')).toMatchObject({ status: 403, body: { code: 'forbidden_role' } });
    expect(await stranger.get(`/requests/${requestId}`)).toMatchObject({ status: 403, body: { code: 'not_owner' } });
    expect(await stranger.post(`/offers/${offerId}/accept`)).toMatchObject({ status: 403, body: { code: 'not_owner' } });
    expect(await stranger.get(`/requests/${randomUUID()}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await stranger.post(`/bookings/${randomUUID()}/check-in`)).toMatchObject({ status: 404 });
  });

  it('broken JSON 400; a wrong field 422 that names it; unknown fields refused', async () => {
    const consumer = await suite.as('clumsy', 'consumer');
    expect(await consumer.post('/requests', '{"service":')).toMatchObject({ status: 400, body: { code: 'malformed' } });
    const wrong = await consumer.post('/requests', leakRequest({ budget: { amount: 1.5, currency: 'USD' } }));
    expect(wrong).toMatchObject({ status: 422, body: { code: 'validation_failed', fields: [{ field: '/budget/amount' }] } });
    const unknown = await consumer.post('/requests', leakRequest({ status: 'booked' }));
    expect(unknown).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
    const fact = await consumer.post('/requests', leakRequest({ details: { room: 'moon' } }));
    expect(fact).toMatchObject({ status: 422, body: { code: 'validation_failed', fields: [{ field: '/facts/room' }] } });
  });

  it('the wrong state 409 with what is allowed and what to do next', async () => {
    const { consumer, requestId } = await invited('impatient');
    const answer = await consumer.patch(`/requests/${requestId}`, { notes: 'too late' });
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'invalid_transition', allowed: expect.arrayContaining(['cancel']), next: expect.any(Array) },
    });
    expect(answer.body.next.length).toBeGreaterThan(0);
  });

  it('fault 6: complete before check-in, check-in too early, accept before an offer: typed, state unchanged', async () => {
    const consumer = await suite.as('early', 'consumer');
    const tomorrow = new Date(Date.now() + 30 * 3_600_000);
    const when = { from: tomorrow.toISOString(), to: new Date(tomorrow.getTime() + 4 * 3_600_000).toISOString(), zone: 'America/New_York' };
    const { body } = await consumer.post('/requests', leakRequest({ submit: true, when, mode: 'instant' }));
    const own = await suite.as(provider.subject, 'provider');
    const [row] = await eventually(
      () => suite.rows<{ id: string }>('select id from offer where request_id = ? and provider_id = ?', [body.id, provider.id]),
      (rows) => rows.length > 0,
    );
    expect(await consumer.post(`/offers/${row!.id}/accept`)).toMatchObject({ status: 403 }); // an unanswered invitation is hidden
    expect(await own.post(`/offers/${row!.id}/accept`)).toMatchObject({ status: 201, body: { status: 'accepted' } });
    const { bookingId } = (await own.get(`/offers/${row!.id}`)).body;
    await eventually(
      async () => (await own.get(`/bookings/${bookingId}`)).body.status,
      (status) => status === 'confirmed',
    );
    expect(await own.post(`/bookings/${bookingId}/complete`)).toMatchObject({
      status: 409,
      body: { code: 'invalid_transition', allowed: expect.arrayContaining(['checkIn']) },
    });
    expect(await own.post(`/bookings/${bookingId}/check-in`)).toMatchObject({ status: 409, body: { code: 'too_early' } });
    expect((await own.get(`/bookings/${bookingId}`)).body).toMatchObject({ status: 'confirmed', seq: 2 });
  });
});

describe('paging', () => {
  it('walks through everything once, and a cursor is worth nothing to somebody else', async () => {
    const consumer = await suite.as('pager', 'consumer');
    for (let n = 0; n < 5; n += 1) await consumer.post('/requests', leakRequest());
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await consumer.get(`/requests?limit=2${cursor}`);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor ? `&cursor=${body.nextCursor}` : '';
    } while (cursor);
    expect(new Set(seen).size).toBe(5);
    const { body } = await consumer.get('/requests?limit=2');
    expect(await (await suite.as('thief', 'consumer')).get(`/requests?limit=2&cursor=${body.nextCursor}`)).toMatchObject({ status: 422 });
    for (const limit of ['0', '-1', '1000000000', 'x']) expect((await consumer.get(`/requests?limit=${limit}`)).status).toBe(422);
  });
});
