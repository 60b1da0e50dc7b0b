// Compares the slots that the calendar lists with the slots that the one writer of holds accepts, on real Postgres, for any calendar.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadCalendars } from '../../src/db/calendar.ts';
import { checkCalendar } from '../../src/db/slot/check.ts';
import { openOrm, sql, type Db, type Orm } from '../../src/db/orm.ts';
import { append, write } from '../../src/db/timeline.ts';
import { listSlots, type Calendar, type Interval } from '../../src/domain/calendar/availability.ts';
import type { BookingEvent } from '../../src/domain/booking/types.ts';
import { DomainError } from '../../src/domain/errors.ts';
import { defaultPolicy } from '../../src/domain/policy.ts';
import { calendars, day, minute, type Generated } from '../support/calendar.ts';
import { seedProvider } from '../support/seed.ts';
import { newDatabase } from '../support/suite.ts';

const service = 'plumbing.leak';
const consumerId = randomUUID();
const requestId = randomUUID();
const iso = (at: number) => new Date(at).toISOString();
const range = ({ start, end }: Interval) => `[${iso(start)},${iso(end)})`;
let orm: Orm;
let drop: () => Promise<void>;

beforeAll(async () => {
  const database = await newDatabase();
  drop = database.drop;
  orm = await openOrm({ databaseUrl: database.url, poolMax: 5 });
  const em = orm.em.fork();
  await sql(em, "insert into user_account (id, issuer, subject) values (?, 't', 't')", [consumerId]);
  await sql(em, "insert into request (id, consumer_id, status, service_code, catalogue_version) values (?, ?, 'booked', ?, 1)", [
    requestId,
    consumerId,
    service,
  ]);
});
afterAll(async () => {
  await orm.close(true);
  await drop();
});

/** Stores a calendar as rows: bookings on their seats, ended bookings that no longer count, and an expired hold. */
async function seed({ calendar, now, durationMinutes }: Generated): Promise<string> {
  const em = orm.em.fork();
  const { id } = await seedProvider(orm, { service, durationMinutes, capacity: calendar.capacity });
  const { zone, minimumNoticeMinutes, horizonDays, dailyCap, bufferBeforeMinutes, bufferAfterMinutes } = calendar;
  await sql(em, 'update provider set zone = ?, minimum_notice_minutes = ?, horizon_days = ?, daily_cap = ? where id = ?', [
    zone,
    minimumNoticeMinutes,
    horizonDays,
    dailyCap,
    id,
  ]);
  await sql(em, 'update provider_service set buffer_before_minutes = ?, buffer_after_minutes = ? where provider_id = ?', [
    bufferBeforeMinutes,
    bufferAfterMinutes,
    id,
  ]);
  await sql(em, 'delete from availability_rule where provider_id = ?', [id]);
  await sql(
    em,
    `insert into availability_rule (provider_id, weekday, start_minute, end_minute)
     select ?, weekday, "startMinute", "endMinute" from jsonb_to_recordset(?::jsonb) as r(weekday int, "startMinute" int, "endMinute" int)`,
    [id, JSON.stringify(calendar.rules)],
  );
  await sql(
    em,
    `insert into availability_exception (id, provider_id, kind, from_date, to_date, start_minute, end_minute)
     select gen_random_uuid(), ?, kind, "fromDate", "toDate", "startMinute", "endMinute"
     from jsonb_to_recordset(?::jsonb) as x(kind text, "fromDate" date, "toDate" date, "startMinute" int, "endMinute" int)`,
    [id, JSON.stringify(calendar.exceptions)],
  );
  const taken = calendar.busy.filter(({ seat }) => seat !== null);
  for (const [index, occupied] of taken.entries()) {
    const during = { start: calendar.booked[index]!, end: occupied.end };
    await seedBooking(em, id, { ...occupied, during, status: index % 3 ? 'confirmed' : 'held', heldUntil: now + minute });
    // The same time also has a cancelled or released booking. Neither takes a seat nor counts for its day.
    await seedBooking(em, id, { ...occupied, during, status: index % 2 ? 'cancelled' : 'released', heldUntil: now });
  }
  await seedBooking(em, id, {
    start: now + day,
    end: now + 2 * day,
    seat: 99,
    during: { start: now + day, end: now + 2 * day },
    status: 'held',
    heldUntil: now,
  });
  const importId = randomUUID();
  await sql(
    em,
    "insert into calendar_import (id, provider_id, name, url, next_try_at) values (?, ?, 'private', 'https://example.test', now())",
    [importId, id],
  );
  for (const appointment of calendar.busy.filter(({ seat }) => seat === null))
    await sql(em, 'insert into busy_block (import_id, provider_id, during) values (?, ?, ?::tstzrange) on conflict do nothing', [
      importId,
      id,
      range(appointment),
    ]);
  return id;
}

type Seeded = Interval & { seat: number | null; during: Interval; status: string; heldUntil: number };

async function seedBooking(em: Db, providerId: string, { seat, during, status, heldUntil, ...occupied }: Seeded): Promise<void> {
  const id = randomUUID();
  await sql(
    em,
    `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, status, during, occupied, seat, zone, price, currency, policy, held_until)
     values (?, ?, gen_random_uuid(), ?, ?, 'another', ?, ?::tstzrange, ?::tstzrange, ?, 'UTC', 1, 'USD', '{}', ?)`,
    [id, requestId, consumerId, providerId, status, range(during), range(occupied), seat, iso(heldUntil)],
  );
  // The timeline needs a first event: a writer that needs the slot of an expired hold appends the release to the hold's timeline.
  await sql(
    em,
    `insert into event (stream, seq, command_id, type, actor_id, actor_role, at, data) values (?, 1, 'seed', 'booking.held', ?, 'consumer', ?, '{}')`,
    [`booking/${id}`, consumerId, iso(heldUntil - minute)],
  );
}

function held(providerId: string, { start, end }: Interval, now: number) {
  const bookingId = randomUUID();
  const event: BookingEvent = {
    type: 'booking.held',
    bookingId,
    requestId,
    offerId: randomUUID(),
    consumerId,
    providerId,
    service,
    price: 15_000,
    currency: 'USD',
    startsAt: iso(start),
    endsAt: iso(end),
    zone: 'UTC',
    heldUntil: iso(now + day),
    policy: defaultPolicy,
  };
  return {
    stream: `booking/${bookingId}`,
    after: 0,
    command: { id: bookingId, by: { id: consumerId, role: 'consumer' as const } },
    at: iso(now),
    events: [event],
  };
}

class Undone extends Error {}

/** The code of the refusal of `work`, or null. The transaction is rolled back in both cases. */
async function refusalOf(work: (tx: Db) => Promise<unknown>): Promise<string | null> {
  try {
    await orm.em.fork().transactional(async (tx) => {
      await work(tx as Db);
      throw new Undone();
    });
  } catch (error) {
    if (error instanceof Undone) return null;
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  throw new Error('unreachable');
}

const load = async (providerId: string, now: number, window: Interval): Promise<Calendar> =>
  (await loadCalendars(orm.em.fork(), [providerId], service, { from: window.start, to: window.end, now })).get(providerId)!;

const refusals = new Set(['slot_taken', 'outside_slot_rules']);

describe('a calendar in Postgres', () => {
  it('List equals book: every listed slot is held, every other is refused, by the one writer of holds', async () => {
    let [booked, refused, waived] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(calendars(), fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), async (generated, dice) => {
        const { now, durationMinutes } = generated;
        const id = await seed(generated);
        const window = { start: now, end: now + 6 * day };
        const calendar = await load(id, now, window);
        const list = (rules: Calendar) =>
          [...listSlots(rules, { from: window.start, to: window.end, durationMinutes, now })].map(({ start }) => start);
        // A slot that was agreed on earlier is held whatever notice the provider wants.
        const [listed, agreeable] = [list(calendar), list({ ...calendar, minimumNoticeMinutes: 0 })];
        expect(listed).toEqual(list({ ...generated.calendar, booked: calendar.booked }));
        const roll = (below: number) => Math.floor(dice.next().value! * below);
        const candidates = [
          ...[...Array(4)].flatMap(() => (agreeable.length ? [agreeable[roll(agreeable.length)]!] : [])),
          // Starts off the grid, and at the edges of the free time.
          ...agreeable.slice(0, 1).flatMap((start) => [start - 15 * minute, start + minute]),
          ...agreeable.slice(-1).map((start) => start + 15 * minute),
          ...[...Array(4)].map(() => now - 60 * minute + roll(6 * 1440) * minute),
        ];
        for (const start of candidates) {
          const slot = { start, end: start + durationMinutes * minute };
          const asked = await refusalOf((tx) =>
            checkCalendar(tx, id, service, { startsAt: iso(slot.start), endsAt: iso(slot.end) }, now, { agreed: false }),
          );
          const taken = await refusalOf((tx) => write<BookingEvent>(tx, held(id, slot, now)));
          for (const code of [asked, taken]) if (code !== null && !refusals.has(code)) throw new Error(`${iso(start)}: ${code}`);
          if ((asked === null) !== listed.includes(start) || (taken === null) !== agreeable.includes(start)) {
            throw new Error(`${iso(start)}: listed ${listed.includes(start)}, asked ${asked}, held ${taken}`);
          }
          if (taken === null) booked += 1;
          else refused += 1;
          if (taken === null && asked !== null) waived += 1;
        }
      }),
      { numRuns: 30, seed: 20261121 },
    );
    expect(booked).toBeGreaterThan(40);
    expect(refused).toBeGreaterThan(40);
    expect(waived).toBeGreaterThan(3);
  });

  it('filling a calendar slot by slot, with cancellations in between, never meets a listed slot that cannot be held', async () => {
    await fc.assert(
      fc.asyncProperty(calendars(), fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), async (generated, dice) => {
        const { now, durationMinutes } = generated;
        const id = await seed({ ...generated, calendar: { ...generated.calendar, minimumNoticeMinutes: 0 } });
        const window = { start: now, end: now + 3 * day };
        for (let turn = 0; turn < 20; turn += 1) {
          const slots = [...listSlots(await load(id, now, window), { from: window.start, to: window.end, durationMinutes, now })];
          if (slots.length === 0) break;
          const slot = slots[Math.floor(dice.next().value! * slots.length)]!;
          expect(await append<BookingEvent>(orm, held(id, slot, now))).toEqual({ is: 'written' });
          // Gaps between the bookings, so that seats are free in pieces.
          if (turn % 3 === 2)
            await sql(
              orm.em.fork(),
              `update booking set status = 'cancelled' where id = (select id from booking where provider_id = ? and status = 'held' order by created_at desc offset 1 limit 1)`,
              [id],
            );
        }
      }),
      { numRuns: 12, seed: 20261121 },
    );
  });

  it('a hold that has run out gives its slot to whoever is next, and is released on its own timeline', async () => {
    const { id } = await seedProvider(orm, { service });
    const start = Math.ceil((Date.now() + day) / (60 * minute)) * 60 * minute;
    const slot = { start, end: start + 60 * minute };
    const first = held(id, slot, start - 2 * day);
    expect(await append<BookingEvent>(orm, first)).toMatchObject({ is: 'written' });
    expect(await append<BookingEvent>(orm, held(id, slot, start - 2 * day))).toMatchObject({ is: 'refused', code: 'slot_taken' });
    expect(await append<BookingEvent>(orm, held(id, slot, start - day))).toMatchObject({ is: 'written' });
    const events = await sql<{ type: string }>(orm.em.fork(), 'select type from event where stream = ? order by seq', [first.stream]);
    expect(events.map(({ type }) => type)).toEqual(['booking.held', 'booking.released']);
  });

  it('a refusal names free slots near the one that was wanted, and they can be had', async () => {
    const { id } = await seedProvider(orm, { service });
    const now = Date.now();
    const start = Math.ceil((now + day) / (60 * minute)) * 60 * minute;
    const slot = { start, end: start + 60 * minute };
    await append<BookingEvent>(orm, held(id, slot, now));
    const refused = await append<BookingEvent>(orm, held(id, slot, now));
    expect(refused).toMatchObject({ is: 'refused', code: 'slot_taken' });
    const { alternatives = [] } = refused.is === 'refused' ? refused.detail : {};
    expect(alternatives.map(({ startsAt }) => (Date.parse(startsAt) - start) / minute)).toEqual([-90, -75, -60, 60, 75]);
    const [near] = alternatives;
    expect(
      await append<BookingEvent>(orm, held(id, { start: Date.parse(near!.startsAt), end: Date.parse(near!.endsAt) }, now)),
    ).toMatchObject({ is: 'written' });
  });

  it('given a capacity lowered below what is booked, what is booked stays and nothing is added', async () => {
    const { id } = await seedProvider(orm, { service, capacity: 3 });
    const now = Date.now();
    const start = Math.ceil((now + day) / (60 * minute)) * 60 * minute;
    const slot = { start, end: start + 60 * minute };
    for (let seat = 0; seat < 2; seat += 1) await append<BookingEvent>(orm, held(id, slot, now));
    const em = orm.em.fork();
    // The booking on the first seat is cancelled. The other booking has a seat that no longer exists.
    await sql(em, "update booking set status = 'cancelled' where provider_id = ? and seat = 0", [id]);
    await sql(em, 'update provider set capacity = 1 where id = ?', [id]);
    expect(await append<BookingEvent>(orm, held(id, slot, now))).toMatchObject({ is: 'refused', code: 'slot_taken' });
    expect(await sql(em, "select 1 from booking where provider_id = ? and status = 'held'", [id])).toHaveLength(1);
    await sql(em, 'update provider set capacity = 2 where id = ?', [id]);
    expect(await append<BookingEvent>(orm, held(id, slot, now))).toMatchObject({ is: 'written' });
  });

  it('what took place today counts for the daily cap, what was called off does not', async () => {
    const { id } = await seedProvider(orm, { service });
    const em = orm.em.fork();
    await sql(em, "update provider set daily_cap = 1, zone = 'UTC' where id = ?", [id]);
    const now = Date.parse(`${iso(Date.now()).slice(0, 10)}T12:00:00Z`);
    const morning = { start: now - 4 * 60 * minute, end: now - 3 * 60 * minute };
    const evening = { start: now + 4 * 60 * minute, end: now + 5 * 60 * minute };
    await seedBooking(em, id, { ...morning, seat: 0, during: morning, status: 'completed', heldUntil: now });
    expect(await append<BookingEvent>(orm, held(id, evening, now))).toMatchObject({
      is: 'refused',
      code: 'outside_slot_rules',
      detail: { status: 'daily_cap' },
    });
    await sql(em, "update booking set status = 'cancelled' where provider_id = ?", [id]);
    expect(await append<BookingEvent>(orm, held(id, evening, now))).toMatchObject({ is: 'written' });
  });

  it('another slot within the minimum notice can be proposed by the provider only; a booking is not in its own way', async () => {
    const { id } = await seedProvider(orm, { service });
    const now = Date.now();
    const start = Math.ceil((now + day) / (60 * minute)) * 60 * minute;
    const first = held(id, { start, end: start + 60 * minute }, now);
    await append<BookingEvent>(orm, first);
    await append<BookingEvent>(orm, {
      ...first,
      after: 1,
      command: { ...first.command, id: 'confirm' },
      events: [{ type: 'booking.confirmed' }],
    });
    await sql(orm.em.fork(), 'update provider set minimum_notice_minutes = 2880 where id = ?', [id]);
    const propose = (side: 'consumer' | 'provider', at: number) =>
      append<BookingEvent>(orm, {
        ...first,
        after: 2,
        command: { ...first.command, id: `${side}-${at}` },
        events: [
          { type: 'reschedule.proposed', side, startsAt: iso(at), endsAt: iso(at + 60 * minute), zone: 'UTC', expiresAt: iso(start) },
        ],
      });
    expect(await propose('consumer', start + 15 * minute)).toMatchObject({
      is: 'refused',
      code: 'outside_slot_rules',
      detail: { status: 'too_soon' },
    });
    expect(await propose('provider', start + 15 * minute)).toMatchObject({ is: 'written' });
  });

  it('a provider who is suspended is booked by nobody, one who has paused keeps their word', async () => {
    const { id } = await seedProvider(orm, { service });
    const now = Date.now();
    const start = Math.ceil((now + day) / (60 * minute)) * 60 * minute;
    const slot = { start, end: start + 60 * minute };
    const em = orm.em.fork();
    await sql(em, "update provider set status = 'suspended' where id = ?", [id]);
    expect(await append<BookingEvent>(orm, held(id, slot, now))).toMatchObject({ is: 'refused', code: 'outside_slot_rules' });
    await sql(em, "update provider set status = 'paused' where id = ?", [id]);
    expect(await append<BookingEvent>(orm, held(id, slot, now))).toMatchObject({ is: 'written' });
  });
});
