import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { openOrm, sql, type Orm } from '../../src/db/orm.ts';
import { changeProvider } from '../../src/db/provider-rows.ts';
import { listBookings } from '../../src/db/queries/booking.ts';
import { listEnrollments } from '../../src/db/queries/enrollment.ts';
import { eventsAfter } from '../../src/db/queries/event.ts';
import { listExceptions } from '../../src/db/queries/exception.ts';
import { listNotifications } from '../../src/db/queries/me.ts';
import { listLeads, listOffers } from '../../src/db/queries/offer.ts';
import { listProviders, ownProvider, providersNear } from '../../src/db/queries/provider.ts';
import { listRequests } from '../../src/db/queries/request.ts';
import { reviewsOf } from '../../src/db/queries/review.ts';
import { listSeries } from '../../src/db/queries/series.ts';
import { city, seedProvider } from '../support/seed.ts';
import { newDatabase } from '../support/suite.ts';

let database: Awaited<ReturnType<typeof newDatabase>>;
let orm: Orm;

beforeAll(async () => {
  database = await newDatabase();
  // One connection, so that its prepared statements can be counted.
  orm = await openOrm({ databaseUrl: database.url, poolMax: 1 });
});
afterAll(async () => {
  await orm.close(true);
  await database.drop();
});

const em = () => orm.em.fork();
const one = async <T>(text: string, params: unknown[] = []) => (await sql<T>(em(), text, params))[0]!;
const prepared = (text: string) =>
  one<{ texts: number }>('select count(*)::int as texts from pg_prepared_statements where statement like ?', [text]);

describe('the one way to run SQL', () => {
  it('binds values: whatever one says, it is no part of the text', async () => {
    const said = `'; drop table event; -- ? $1 "x" \\`;
    expect(await one('select ?::text as said, ?::int as n, ?::text is null as none', [said, 7, null])).toEqual({ said, n: 7, none: true });
  });

  it('takes values as they come: dates, lists, true and false, nothing', async () => {
    const at = new Date('2026-11-29T01:02:03.456Z');
    const row = await one<{ at: number; list: string[]; is: boolean; json: object; absent: null; big: string }>(
      `select (date_part('epoch', ?::timestamptz) * 1000)::float8 as at, ?::text[] as list, ?::boolean as is, ?::jsonb as json, ?::text as absent, ?::bigint as big`,
      [at, ['a,b', '"c"'], false, JSON.stringify({ a: 1 }), undefined, '9007199254740993'],
    );
    expect(row).toEqual({ at: at.getTime(), list: ['a,b', '"c"'], is: false, json: { a: 1 }, absent: null, big: '9007199254740993' });
  });

  it('has a prepared text parsed once per connection, whatever the values are', async () => {
    for (const n of [1, 2, 3]) await sql(em(), 'select ?::int + 40 as n', [n], { prepared: true });
    expect(await prepared('%+ 40 as n')).toEqual({ texts: 1 });
  });

  it('every other statement is planned with its values each time', async () => {
    const reader = { id: randomUUID(), role: 'consumer' as const };
    for (let n = 0; n < 7; n += 1) {
      await eventsAfter(em(), { actor: reader, after: '0', limit: 10 });
      await sql(em(), 'select 1 as replanned where ?::int = 1', [n]);
    }
    expect(await prepared('%audience @>%')).toEqual({ texts: 0 });
    expect(await prepared('%as replanned%')).toEqual({ texts: 0 });
  });

  it('a statement that fails is no obstacle to the next', async () => {
    const divide = (by: number) => one<{ n: number }>('select 84 / ?::int as n', [by]);
    await expect(divide(0)).rejects.toMatchObject({ code: '22012' });
    expect(await divide(2)).toEqual({ n: 42 });
    await expect(one('select nothing_such')).rejects.toMatchObject({ code: '42703' });
    await expect(one('select nothing_such')).rejects.toMatchObject({ code: '42703' });
  });
});

describe('statements that no journey of the tests runs', () => {
  const actor = (role: 'consumer' | 'provider' | 'admin') => ({ id: randomUUID(), role });
  const page = { limit: 5, after: [new Date().toISOString(), randomUUID()] };
  const lists: Record<string, () => Promise<unknown>> = {
    bookings: () => listBookings(em(), actor('consumer'), { ...page, status: 'held' }),
    enrollments: () => listEnrollments(em(), actor('admin'), { ...page, status: 'draft' }),
    notifications: () => listNotifications(em(), randomUUID(), { ...page, unread: true }),
    offers: () => listOffers(em(), actor('provider'), { ...page, status: 'invited' }),
    leads: () => listLeads(em(), randomUUID(), { ...page, status: 'invited' }),
    providers: () => listProviders(em(), { ...page, service: 'plumbing.leak' }),
    'providers near a place': () => providersNear(em(), { ...city, service: 'plumbing.leak', limit: 5, after: [0, randomUUID()] }),
    requests: () => listRequests(em(), actor('consumer'), { ...page, status: 'booked' }),
    reviews: () => reviewsOf(em(), randomUUID(), page),
    series: () => listSeries(em(), actor('provider'), { ...page, status: 'active' }),
  };

  it.each(Object.keys(lists))('the next page of %s', async (name) => {
    expect(await lists[name]!()).toEqual([]);
  });

  it('the next page of exceptions', async () => {
    const { id } = await seedProvider(orm);
    const after = ['2026-11-29', -1, randomUUID()];
    expect(await listExceptions(em(), id, { limit: 5, after, from: '2026-11-01' })).toEqual({ items: [], seq: 0 });
  });

  it('a provider changes what is given, and nothing else; null is a value', async () => {
    const { id } = await seedProvider(orm, { capacity: 2 });
    await changeProvider(em(), id, { dailyCap: 3, bio: `it's "me"?`, portfolio: [] });
    const before = await ownProvider(em(), id);
    expect(before).toMatchObject({ dailyCap: 3, bio: `it's "me"?`, capacity: 2, zone: city.zone });
    await changeProvider(em(), id, {});
    expect(await ownProvider(em(), id)).toEqual(before);
    await changeProvider(em(), id, { dailyCap: null, location: { lat: 1.5, lon: -2.25 } });
    expect(await ownProvider(em(), id)).toEqual({ ...before, dailyCap: null, location: { lat: 1.5, lon: -2.25 } });
    expect(await one('select position = ll_to_earth(1.5, -2.25)::cube as moved from provider_service where provider_id = ?', [id])).toEqual(
      {
        moved: true,
      },
    );
  });
});
