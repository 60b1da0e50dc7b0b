import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openOrm, sql, type Orm } from '../../src/db/orm.ts';
import { append } from '../../src/db/timeline.ts';
import type { Actor } from '../../src/domain/actor.ts';
import { decideBooking } from '../../src/domain/booking/decide.ts';
import { emptyBooking, evolveBooking } from '../../src/domain/booking/evolve.ts';
import type { BookingCommand, BookingHeld, BookingState, BookingTimelineEvent } from '../../src/domain/booking/types.ts';
import { DomainError } from '../../src/domain/errors.ts';
import { defaultPolicy } from '../../src/domain/policy.ts';
import type { Recorded } from '../../src/domain/timeline.ts';
import { seedProvider } from '../support/seed.ts';
import { newDatabase } from '../support/suite.ts';

const writers = 64;
const interleavings = 1_000;
const quarterMs = 15 * 60_000;
const holdMs = 60_000;

let orm: Orm;
let drop: () => Promise<void>;
const consumer: Actor = { id: randomUUID(), role: 'consumer' };
const requestId = randomUUID();

beforeAll(async () => {
  const database = await newDatabase();
  drop = database.drop;
  orm = await openOrm({ databaseUrl: database.url, poolMax: writers });
  const em = orm.em.fork();
  await sql(em, "insert into user_account (id, issuer, subject) values (?, 't', 't')", [consumer.id]);
  await sql(em, 'insert into request (id, consumer_id, catalogue_version) values (?, ?, 1)', [requestId, consumer.id]);
});
afterAll(async () => {
  await orm?.close(true);
  await drop();
});

/** Acts on the database as a booking's run does: decides on its state, appends, folds the events that it did not know, decides again. */
class Run {
  state: BookingState = emptyBooking;
  seq = 0;
  readonly id = randomUUID();
  private turn: Promise<unknown> = Promise.resolve();

  send(command: Omit<BookingCommand, 'id'>, now: number): Promise<void> {
    const next = this.turn.then(() => this.work({ ...command, id: randomUUID() } as BookingCommand, now));
    this.turn = next.catch(() => {});
    return next;
  }

  hold(event: BookingHeld, now: number): Promise<void> {
    const next = this.turn.then(() => this.write(randomUUID(), consumer, [event], now));
    this.turn = next.catch(() => {});
    return next.then(() => {});
  }

  private async work(command: BookingCommand, now: number): Promise<void> {
    for (;;) {
      if (!this.state.opened) return; // The hold of this booking was refused.
      const events = decideBooking(this.state, command, now);
      if (events.length === 0 || (await this.write(command.id, command.by, events, now))) return;
    }
  }

  private async write(id: string, by: Actor, events: BookingTimelineEvent[], now: number): Promise<boolean> {
    const at = new Date(now).toISOString();
    const input = { stream: `booking/${this.id}`, after: this.seq, command: { id, by }, at, events };
    const result = await append<BookingTimelineEvent>(orm, input);
    if (result.is === 'refused') throw new DomainError(result.code, undefined, result.detail);
    const own = events.filter(({ stream }) => !stream).map((event, n) => ({ ...event, seq: this.seq + 1 + n, commandId: id, at, by }));
    const unknown = result.is === 'behind' ? result.streams.flatMap(({ events: found }) => found) : [];
    for (const event of result.is === 'written' ? own : unknown) this.fold(event);
    return result.is === 'written';
  }

  private fold(event: Recorded<BookingTimelineEvent>): void {
    this.state = evolveBooking(this.state, event);
    this.seq = event.seq;
  }
}

/** Two bookings in the same seat at the same time, among those that take time. */
const overlaps = (providerId?: string) =>
  sql(
    orm.em.fork(),
    `select a.id, b.id from booking a join booking b on a.provider_id = b.provider_id and a.seat = b.seat and a.id < b.id and a.occupied && b.occupied
     where a.status in ('held', 'confirmed', 'in_progress') and b.status in ('held', 'confirmed', 'in_progress') and (?::uuid is null or a.provider_id = ?)`,
    [providerId ?? null, providerId ?? null],
  );

/** More bookings at one instant than there are seats. */
const overfull = (providerId: string) =>
  sql(
    orm.em.fork(),
    `select a.id from booking a join provider p on p.id = a.provider_id where a.provider_id = ? and a.status in ('held', 'confirmed', 'in_progress')
       and (select count(*) from booking b where b.provider_id = a.provider_id and b.status in ('held', 'confirmed', 'in_progress') and b.occupied @> lower(a.occupied)) > p.capacity`,
    [providerId],
  );

const step = fc.record({
  run: fc.nat({ max: 11 }),
  do: fc.constantFrom('confirm', 'cancel', 'propose', 'answer', 'expire', 'check in'),
  slot: fc.nat({ max: 5 }),
});

describe('no double booking', () => {
  it('1,000 random interleavings of hold, confirm, cancel, reschedule and expire by 64 writers: never an overlapping pair', async () => {
    const refusals = new Map<string, number>();
    const done = new Map<string, number>();
    const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
    const start = Math.ceil((Date.now() + 3 * 86_400_000) / quarterMs) * quarterMs;

    const property = fc.asyncProperty(
      fc.record({
        capacity: fc.integer({ min: 1, max: 2 }),
        buffer: fc.constantFrom(0, 15),
        holds: fc.array(fc.nat({ max: 5 }), { minLength: 2, maxLength: 12 }),
        steps: fc.array(step, { minLength: 6, maxLength: 24 }),
      }),
      async ({ capacity, buffer, holds, steps }) => {
        const provider = await seedProvider(orm, { capacity });
        await sql(orm.em.fork(), 'update provider_service set buffer_after_minutes = ? where provider_id = ?', [buffer, provider.id]);
        const now = Date.now();
        const slotOf = (n: number) => {
          const at = start + n * 2 * quarterMs; // half an hour apart, an hour long: neighbours overlap
          return { startsAt: new Date(at).toISOString(), endsAt: new Date(at + 4 * quarterMs).toISOString(), zone: 'UTC' };
        };
        const runs = holds.map(() => new Run());
        const attempt = async (name: string, work: Promise<void>) => {
          try {
            await work;
            count(done, name);
          } catch (error) {
            if (!(error instanceof DomainError)) throw error;
            count(refusals, error.code);
          }
        };
        // All runs at once. Each run keeps its own order, as workflows do.
        await Promise.all([
          ...runs.map((run, n) => {
            const event: BookingHeld = {
              type: 'booking.held',
              bookingId: run.id,
              requestId,
              offerId: randomUUID(),
              consumerId: consumer.id,
              providerId: provider.id,
              service: 'plumbing.leak',
              price: 10_000,
              currency: 'USD',
              ...slotOf(holds[n]!),
              // Some holds have already expired when the others arrive.
              heldUntil: new Date(now + (n % 3 === 2 ? -1 : holdMs)).toISOString(),
              policy: defaultPolicy,
            };
            return attempt('hold', run.hold(event, now - 5));
          }),
          ...steps.map(({ run: n, do: what, slot }) => {
            const run = runs[n % runs.length]!;
            const side: Actor = n % 2 ? { id: provider.id, role: 'provider' } : consumer;
            const other: Actor = n % 2 ? consumer : { id: provider.id, role: 'provider' };
            const command = {
              confirm: { do: 'confirm', by: consumer },
              cancel: { do: 'cancelBooking', by: side },
              propose: { do: 'proposeReschedule', by: side, startsAt: slotOf(slot).startsAt },
              answer: { do: 'answerReschedule', by: other, accept: slot < 5 },
              expire: { do: 'confirm', by: consumer },
              'check in': { do: 'checkIn', by: consumer },
            }[what];
            return attempt(what, run.send(command as never, what === 'expire' ? now + 2 * holdMs : now));
          }),
        ]);
        expect(await overlaps(provider.id)).toEqual([]);
        expect(await overfull(provider.id)).toEqual([]);
        expect(await rowsThatDisagree(provider.id)).toEqual([]);
      },
    );
    // Interleavings run in parallel, with up to 64 writers.
    const lanes = 8;
    await Promise.all(Array.from({ length: lanes }, () => fc.assert(property, { numRuns: interleavings / lanes, endOnFailure: true })));
    expect(await overlaps()).toEqual([]);
    // Proves that the interleavings reached the cases that this test is about.
    for (const what of ['hold', 'confirm', 'cancel', 'propose', 'answer', 'expire'])
      expect(done.get(what) ?? 0).toBeGreaterThan(interleavings / 10);
    expect(refusals.get('slot_taken') ?? 0).toBeGreaterThan(interleavings / 10);
  }, 300_000);

  it('negative control: without the constraint a plain write is found by the same look', async () => {
    const provider = await seedProvider(orm);
    const em = orm.em.fork();
    await em.begin();
    await sql(em, 'alter table booking drop constraint booking_no_overlap');
    for (let n = 0; n < 2; n += 1) {
      await sql(
        em,
        `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, during, occupied, zone, price, currency, policy, held_until)
         values (gen_random_uuid(), ?, gen_random_uuid(), ?, ?, 's', '[2030-01-01,2030-01-02)', '[2030-01-01,2030-01-02)', 'UTC', 1, 'USD', '{}', now())`,
        [requestId, consumer.id, provider.id],
      );
    }
    const found = await sql(
      em,
      'select 1 from booking a join booking b on a.provider_id = b.provider_id and a.seat = b.seat and a.id < b.id and a.occupied && b.occupied where a.provider_id = ?',
      [provider.id],
    );
    await em.rollback();
    expect(found).toHaveLength(1);
  });
});

/** Bookings whose row differs from their timeline. */
async function rowsThatDisagree(providerId: string): Promise<{ id: string; status: string; folded: string }[]> {
  const rows = await sql<{ id: string; status: string; events: Recorded<BookingTimelineEvent>[] }>(
    orm.em.fork(),
    `select b.id, b.status, jsonb_agg(e.data || jsonb_build_object('type', e.type, 'seq', e.seq, 'commandId', e.command_id, 'at', e.at) order by e.seq) as events
     from booking b join event e on e.stream = 'booking/' || b.id where b.provider_id = ? group by b.id`,
    [providerId],
  );
  return rows
    .map(({ id, status, events }) => ({ id, status, folded: events.reduce(evolveBooking, emptyBooking).status as string }))
    .filter(({ status, folded }) => status !== folded);
}
