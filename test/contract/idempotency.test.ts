import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DomainError } from '../../src/domain/errors.ts';
import { probe, type Probe } from './probe.ts';
import { startApi, startIssuer, type Harness, type Issuer } from './support.ts';

let keys: Issuer;
let api: Harness;
let things: Probe;
let token: string;

beforeAll(async () => {
  keys = await startIssuer();
  things = probe();
  api = await startApi(keys.url, { features: [things.feature] });
  token = await keys.token();
});
afterAll(async () => {
  await api.stop();
  await keys.close();
});
beforeEach(() => {
  things.ran.length = 0;
  things.behave = async () => undefined;
  api.keys.rows.clear();
});

const post = (key: string | undefined, body: unknown = { text: 'a' }, as = token) =>
  api.send('/api/v1/things', { method: 'POST', token: as, body, headers: key === undefined ? {} : { 'idempotency-key': key } });

describe('fault 61: Idempotency-Key', () => {
  it('given the same key and request, the first answer comes back and the command ran once', async () => {
    const first = await post('"k-1"', { text: 'a', count: 1 });
    const second = await post('k-1', { count: 1, text: 'a' }); // bare, other order of fields: the same intention
    expect([first.status, second.status, second.json]).toEqual([201, 201, first.json]);
    expect(second.headers).toMatchObject({ 'idempotent-replayed': 'true', location: first.headers.location });
    expect(things.ran).toEqual([first.json.id]);
    expect(first.json.id).toMatch(/^[\w-]{22}$/);
  });

  it('given the same key and another body, the answer is 422', async () => {
    await post('k-2');
    expect((await post('k-2', { text: 'b' })).json).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });

  it('given the same key while the first is at work, the answer is 409 with Retry-After', async () => {
    let finish = () => {};
    const working = new Promise<void>((resolve) => {
      things.behave = async (id) => {
        resolve();
        await new Promise<void>((done) => (finish = done));
        return { id, text: 'slow', seq: 1 };
      };
    });
    const first = post('k-3');
    await working;
    const second = await post('k-3');
    expect([second.json.code, second.headers['retry-after']]).toEqual(['idempotency_in_flight', '1']);
    finish();
    expect((await first).status).toBe(201);
    expect(things.ran).toHaveLength(1);
  });

  it('given 20 at once, the command runs once', async () => {
    const statuses = (await Promise.all(Array.from({ length: 20 }, () => post('k-race')))).map(({ status }) => status);
    expect(statuses.filter((status) => status !== 201 && status !== 409)).toEqual([]);
    expect(things.ran).toHaveLength(1);
  });

  it("given another user's key, both run independently", async () => {
    const [mine, theirs] = [await post('k-4'), await post('k-4', { text: 'a' }, await keys.token({ sub: 'bert' }))];
    expect(theirs.status).toBe(201);
    expect(theirs.json.id).not.toBe(mine.json.id);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['empty quotes', '""'],
    ['300 characters', 'x'.repeat(300)],
    ['10 kB', 'x'.repeat(10_000)],
    ['unbalanced quotes', '"abc'],
    ['spaces without quotes', 'a b'],
    ['not ASCII', Buffer.from('é').toString('latin1')],
  ])('given a key that is %s, the answer is 400', async (_name, key) => {
    expect((await post(key)).json).toMatchObject({ status: 400, code: 'idempotency_key_missing' });
    expect(things.ran).toEqual([]);
  });

  it('given an expired key, the request is a new one', async () => {
    await post('k-5');
    for (const row of api.keys.rows.values()) row.expiresAt = 0;
    expect((await post('k-5', { text: 'b' })).status).toBe(201);
    expect(things.ran).toHaveLength(2);
  });

  it('given a refusal by the rules, it is stored and comes back with an id of its own', async () => {
    things.behave = () => Promise.reject(new DomainError('slot_taken', undefined, { allowed: ['decline'] }));
    const first = await post('k-6');
    const second = await post('k-6');
    expect(second.json).toEqual({ ...first.json, requestId: second.json.requestId });
    expect(second.json).toMatchObject({ status: 409, code: 'slot_taken', allowed: ['decline'] });
    expect(second.json.requestId).not.toBe(first.json.requestId);
    expect(things.ran).toHaveLength(1);
  });

  it.each([
    ['503', () => new DomainError('temporarily_unavailable')],
    ['500', () => new Error('a bug')],
    ['429', () => new DomainError('conversation_busy')],
  ])('given a %s, nothing is stored and the same key works at once', async (_status, make) => {
    things.behave = () => Promise.reject(make());
    expect((await post('k-7')).status).toBeGreaterThanOrEqual(429);
    things.behave = async () => undefined;
    const again = await post('k-7');
    expect(again.status).toBe(201);
    expect(things.ran).toEqual([again.json.id, again.json.id]); // the same command id: the timeline would have known it
  });

  it('given a refusal that cannot be stored, the caller still gets it', async () => {
    const { refused } = api.keys;
    api.keys.refused = () => Promise.reject(new Error('the database is gone'));
    things.behave = () => Promise.reject(new DomainError('slot_taken'));
    expect((await post('k-8')).json.code).toBe('slot_taken');
    api.keys.refused = refused;
  });

  it('given an invalid body, the key is not used up', async () => {
    expect((await post('k-9', { text: '' })).status).toBe(422);
    expect((await post('k-9')).status).toBe(201);
  });
});
