import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import baseline from '../../bench/slots.baseline.json' with { type: 'json' };
import { measureSlots } from '../../bench/slots.run.ts';
import { loadCalendars } from '../../src/db/calendar.ts';
import { openOrm, sql, type Orm } from '../../src/db/orm.ts';
import { seedProvider } from '../support/seed.ts';
import { newDatabase } from '../support/suite.ts';

const service = 'plumbing.leak';
let orm: Orm;
let drop: () => Promise<void>;
let ids: string[];

beforeAll(async () => {
  const database = await newDatabase();
  drop = database.drop;
  orm = await openOrm({ databaseUrl: database.url, poolMax: 2 });
  ids = [];
  while (ids.length < 40) ids.push((await seedProvider(orm, { service })).id);
  await sql(orm.em.fork(), 'create extension if not exists pg_stat_statements');
});
afterAll(async () => {
  await orm.close(true);
  await drop();
});

describe('the calendars of a page of providers', () => {
  it.each([1, 7, 40])('of %s are read with as many statements as of one (bench/slots.baseline.json)', async (count) => {
    const em = orm.em.fork();
    const now = Date.now();
    await sql(em, 'select pg_stat_statements_reset(0, oid, 0) from pg_database where datname = current_database()');
    const calendars = await loadCalendars(em, ids.slice(0, count), service, { from: now, to: now + 31 * 86_400_000, now });
    const [row] = await sql<{ calls: number }>(
      em,
      `select coalesce(sum(calls), 0)::int as calls from pg_stat_statements s join pg_database d on d.oid = s.dbid
       where d.datname = current_database() and query not like '%pg_stat_statements%'`,
    );
    expect(calendars.size).toBe(count);
    expect(row!.calls).toBe(baseline.statementsPerPage);
  });

  it('who is unknown, or offers another service, has none', async () => {
    const now = Date.now();
    const ask = (providers: string[], code: string) => loadCalendars(orm.em.fork(), providers, code, { from: now, to: now, now });
    expect((await ask([crypto.randomUUID()], service)).size).toBe(0);
    expect((await ask(ids, 'photo.portrait')).size).toBe(0);
    expect((await ask([], service)).size).toBe(0);
  });

  it('what was booked in the past years is not read again', async () => {
    const em = orm.em.fork();
    const [consumer, request] = [crypto.randomUUID(), crypto.randomUUID()];
    await sql(em, "insert into user_account (id, issuer, subject) values (?, 't', 't')", [consumer]);
    await sql(em, "insert into request (id, consumer_id, status, service_code, catalogue_version) values (?, ?, 'completed', ?, 1)", [
      request,
      consumer,
      service,
    ]);
    await sql(
      em,
      `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, status, during, occupied, zone, price, currency, policy, held_until)
       select gen_random_uuid(), ?, gen_random_uuid(), ?, ?, ?, 'completed', tstzrange(at, at + interval '1 hour'), tstzrange(at, at + interval '1 hour'), 'UTC', 1, 'USD', '{}', at
       from generate_series(now() - interval '1000 days', now(), interval '12 hours') as at`,
      [request, consumer, ids[0], service],
    );
    await sql(em, 'analyze booking');
    const plan = await sql<{ 'QUERY PLAN': string }>(
      em,
      "explain select 1 from booking b where b.provider_id = ?::uuid and lower(b.during) >= now() and lower(b.during) < now() + interval '31 days'",
      [ids[0]],
    );
    expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain('booking_start_index');
  });
});

describe('npm run bench:slots', () => {
  it('measures both sides of its ratio in one run, for pages of every length', async () => {
    const { selectOne, pages } = await measureSlots({ samples: 3, warmUp: 1, historyDays: 1 });
    expect(selectOne.p50).toBeGreaterThan(0);
    expect(pages.map(({ providers }) => providers)).toEqual([1, 20, 100]);
    for (const { slots, providers, listing, roundTrips } of pages) {
      expect(slots).toBeGreaterThan(200 * providers);
      expect(roundTrips).toBeCloseTo(listing.p50 / providers / selectOne.p50);
    }
  });
});
