// The store of Idempotency-Keys on a real database: what is stored when, and what a process that dies may lose.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { idempotencyStoreIn } from '../../src/api/http/idempotency-store.ts';
import type { Claim, IdempotencyStore } from '../../src/api/http/idempotency.ts';
import { openOrm, sql, type Orm } from '../../src/db/orm.ts';
import { eventually } from '../support/http.ts';
import { newDatabase } from '../support/suite.ts';

let database: Awaited<ReturnType<typeof newDatabase>>;
let orm: Orm;
let actorId: string;
/** Two processes of the API. */
let one: IdempotencyStore;
let other: IdempotencyStore;

beforeAll(async () => {
  database = await newDatabase();
  orm = await openOrm({ databaseUrl: database.url, poolMax: 4 });
  actorId = randomUUID();
  await sql(orm.em.fork(), 'insert into user_account (id, issuer, subject) values (?, ?, ?)', [actorId, 'test', actorId]);
  one = idempotencyStoreIn(orm);
  other = idempotencyStoreIn(orm);
});
afterAll(async () => {
  await Promise.all([one.close(), other.close()]);
  await orm.close(true);
  await database.drop();
});

const key = (): Claim => ({ id: randomUUID().slice(0, 22), actorId, fingerprint: 'a body', lockMs: 60_000, keepMs: 60_000 });
const outcome = { status: 201, body: { b: 1, a: [2] }, headers: { etag: '"1"' } };
const stateOf = async ({ id }: Claim) =>
  (await sql<{ state: string }>(orm.em.fork(), 'select state from idempotency_key where id = ?', [id]))[0]?.state;

describe('an answer', () => {
  it('is given again by the process that gave it, before it is stored', async () => {
    const claim = key();
    expect(await one.claim(claim)).toEqual({ is: 'claimed' });
    one.answered(claim, outcome);
    expect(await one.claim(claim)).toEqual({ is: 'done', outcome });
    expect(await one.claim({ ...claim, fingerprint: 'another body' })).toEqual({ is: 'reused' });
  });

  it('is stored together with the next claim, byte for byte', async () => {
    const [first, second] = [key(), key()];
    await one.claim(first);
    one.answered(first, outcome);
    expect(await stateOf(first)).toBe('in_flight');
    expect(await one.claim(second)).toEqual({ is: 'claimed' });
    expect(await stateOf(first)).toBe('done');
    const again = await other.claim(first);
    expect(again).toEqual({ is: 'done', outcome });
    expect(JSON.stringify(again)).toContain('{"b":1,"a":[2]}');
    await one.release(second.id);
  });

  it('is stored by itself soon, also for another process, when no claim comes', async () => {
    const claim = key();
    await one.claim(claim);
    one.answered(claim, outcome);
    expect(await other.claim(claim)).toMatchObject({ is: 'in_flight' });
    await eventually(
      () => other.claim(claim),
      ({ is }) => is === 'done',
      { what: 'the stored answer' },
    );
  });

  it('is stored when the process closes', async () => {
    const claim = key();
    const closing = idempotencyStoreIn(orm);
    await closing.claim(claim);
    closing.answered(claim, outcome);
    await closing.close();
    expect(await stateOf(claim)).toBe('done');
  });

  it('given the process dies first, the key is free again when its lock has lapsed', async () => {
    const claim = { ...key(), lockMs: 1 };
    await idempotencyStoreIn(orm).claim(claim); // Nobody closes this process.
    expect(
      await eventually(
        () => one.claim(claim),
        ({ is }) => is === 'claimed',
      ),
    ).toEqual({ is: 'claimed' });
  });

  it('given many at once, each is stored once and none is left', async () => {
    const claims = Array.from({ length: 250 }, key);
    await Promise.all(
      claims.map(async (claim) => {
        expect(await one.claim(claim)).toEqual({ is: 'claimed' });
        one.answered(claim, outcome);
      }),
    );
    await eventually(
      () => Promise.all(claims.map(stateOf)),
      (states) => states.every((state) => state === 'done'),
      { what: 'all answers' },
    );
  });
});

it('a refusal is stored before it is given', async () => {
  const claim = key();
  await one.claim(claim);
  await one.refused(claim.id, { status: 0, body: { code: 'slot_taken' }, headers: {} });
  expect(await other.claim(claim)).toMatchObject({ is: 'done', outcome: { status: 0 } });
});
