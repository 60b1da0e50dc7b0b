// Measures the cost of listing a month of slots for a page of providers, in round trips to the database.
import { performance } from 'node:perf_hooks';
import { loadCalendars } from '../src/db/calendar.ts';
import { openOrm, sql, type Orm } from '../src/db/orm.ts';
import { listSlots } from '../src/domain/calendar/availability.ts';
import { zones } from '../test/support/calendar.ts';
import { seedProvider } from '../test/support/seed.ts';
import { newDatabase } from '../test/support/suite.ts';
import { quantile, spreadOf, type Spread } from './statistics.ts';

const service = 'plumbing.leak';
const month = 31 * 86_400_000;
/** Page sizes in providers: one provider's own page, a page of a list, the longest page. */
const pages = [1, 20, 100] as const;

export interface PageCost {
  providers: number;
  slots: number;
  /** Milliseconds for the whole page. */
  listing: Spread;
  /** p50 of the listing divided by the number of providers and by the p50 of `select 1`. */
  roundTrips: number;
  /** The same ratio of the p10s: the cost without other work on the machine. */
  calmRoundTrips: number;
}

export interface SlotCost {
  samples: number;
  /** Milliseconds of `select 1` by the same function over the same connections. */
  selectOne: Spread;
  pages: PageCost[];
}

/**
 * Measures on the servers that the environment names. Listing and `select 1` alternate, so that both see the same load of the
 * machine.
 */
export async function measureSlots({ samples = 200, warmUp = 60, historyDays = 90 } = {}): Promise<SlotCost> {
  const database = await newDatabase();
  const orm = await openOrm({ databaseUrl: database.url, poolMax: 2, statementTimeoutMs: 120_000 });
  try {
    const ids = await seedPage(orm, Math.max(...pages), historyDays);
    const times = new Map<number, number[]>([[0, []], ...pages.map((size): [number, number[]] => [size, []])]);
    const slots = new Map<number, number>();
    for (let n = 0; n < warmUp + samples; n += 1) {
      const keep = (what: number, ms: number) => n >= warmUp && times.get(what)!.push(ms);
      for (const size of pages) {
        keep(0, await timed(() => sql(orm.em.fork(), 'select 1', [])));
        keep(size, await timed(async () => slots.set(size, await listMonth(orm, ids.slice(0, size)))));
      }
    }
    const selectOne = spreadOf(times.get(0)!);
    const calm = (what: number) => quantile(times.get(what)!, 0.1);
    return {
      samples,
      selectOne,
      pages: pages.map((providers) => {
        const listing = spreadOf(times.get(providers)!);
        return {
          providers,
          slots: slots.get(providers)!,
          listing,
          roundTrips: listing.p50 / providers / selectOne.p50,
          calmRoundTrips: calm(providers) / providers / calm(0),
        };
      }),
    };
  } finally {
    await orm.close(true);
    await database.drop();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** Lists every slot of the next month in the form of the answer. @returns the number of slots */
async function listMonth(orm: Orm, ids: readonly string[]): Promise<number> {
  const now = Date.now();
  const window = { from: now, to: now + month, now };
  const calendars = await loadCalendars(orm.em.fork(), ids, service, window);
  let count = 0;
  for (const calendar of calendars.values())
    for (const slot of listSlots(calendar, { ...window, durationMinutes: calendar.durationMinutes }))
      count += slot.end > slot.start ? 1 : 0;
  return count;
}

/**
 * Seeds realistic providers: a working week with a break, a vacation, extra hours, two bookings a day, each provider in a zone
 * of their own.
 */
async function seedPage(orm: Orm, count: number, historyDays: number): Promise<string[]> {
  const em = orm.em.fork();
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const { id } = await seedProvider(orm, { service, durationMinutes: 60, capacity: n % 4 === 3 ? 3 : 1 });
    await sql(em, 'update provider set zone = ?, daily_cap = ?, minimum_notice_minutes = 120 where id = ?', [
      zones[n % zones.length],
      n % 2 ? 6 : null,
      id,
    ]);
    await sql(em, 'update provider_service set buffer_before_minutes = 10, buffer_after_minutes = 15 where provider_id = ?', [id]);
    await sql(em, 'delete from availability_rule where provider_id = ?', [id]);
    await sql(
      em,
      `insert into availability_rule (provider_id, weekday, start_minute, end_minute)
       select ?, day, hours.start, hours.end from generate_series(1, 6) as day, (values (540, 720), (780, 1080)) as hours("start", "end")`,
      [id],
    );
    await sql(
      em,
      `insert into availability_exception (id, provider_id, kind, from_date, to_date, start_minute, end_minute)
       values (gen_random_uuid(), ?, 'closed', current_date + 10, current_date + 14, null, null), (gen_random_uuid(), ?, 'extra', current_date + 5, current_date + 5, 1140, 1260)`,
      [id, id],
    );
    ids.push(id);
  }
  const consumer = crypto.randomUUID();
  const request = crypto.randomUUID();
  await sql(em, "insert into user_account (id, issuer, subject) values (?, 'bench', 'bench')", [consumer]);
  await sql(em, "insert into request (id, consumer_id, status, service_code, catalogue_version) values (?, ?, 'booked', ?, 1)", [
    request,
    consumer,
    service,
  ]);
  await sql(
    em,
    `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, status, during, occupied, zone, price, currency, policy, held_until)
     select gen_random_uuid(), ?, gen_random_uuid(), ?, p.id, ?, case when day < 0 then 'completed' else 'confirmed' end,
       tstzrange(at, at + interval '60 minutes'), tstzrange(at - interval '10 minutes', at + interval '75 minutes'), p.zone, 1, 'USD', '{}', at
     from provider p, generate_series(-(?::int), 30) as day, (values (14), (18)) as hours(hour),
       lateral (select date_trunc('day', now()) + make_interval(days => day, hours => hour) as at) as times`,
    [request, consumer, service, historyDays],
  );
  await sql(em, 'analyze');
  return ids;
}
