// The one place that takes a slot from the calendar: holds, and the swap of a reschedule.
import { occupiedBy } from '../domain/calendar/availability.ts';
import type { BookingHeld } from '../domain/booking/types.ts';
import { SYSTEM } from '../domain/actor.ts';
import { DomainError } from '../domain/errors.ts';
import { checkCalendar, occupying, toInterval } from './calendar.ts';
import { sql, type Db } from './orm.ts';
import { rangeOf } from './projections/move.ts';
import type { Slot } from '../domain/terms.ts';
import { iso } from '../domain/time.ts';

interface Wanted {
  providerId: string;
  /** A Postgres range: the slot with its buffers. */
  occupied: string;
  at: string;
}

type Taker = Pick<BookingHeld, 'providerId' | 'service'> & Slot & { at: string };

/**
 * Reserves the slot of an acceptance. The provider's row is locked first, so racers queue instead of colliding, and the
 * exclusion constraint has the last word.
 * @throws slot_taken when somebody else was faster, outside_slot_rules, payment_method_missing
 */
export async function holdSlot(tx: Db, event: BookingHeld & { at: string }): Promise<void> {
  const { bookingId, requestId, offerId, consumerId, providerId, service, startsAt, endsAt, zone, price, currency, policy, heldUntil, at } =
    event;
  // Requests that were running before there were payments do not name them.
  if ((policy.payments ?? 'none') !== 'none') await assertCanPay(tx, consumerId);
  const { occupied, capacity } = await lockAndCheck(tx, event);
  const insert = () =>
    sql(
      tx,
      `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, during, occupied, seat, zone, price, currency, policy, held_until, created_at, series_id)
     select ?, ?, ?, ?, ?, ?, ?::tstzrange, ?::tstzrange, seat, ?, ?, ?, ?::jsonb, ?, ?, ? from (${freeSeat}) as seat
     on conflict do nothing returning id`,
      [
        bookingId,
        requestId,
        offerId,
        consumerId,
        providerId,
        service,
        rangeOf(startsAt, endsAt),
        occupied,
        zone,
        price,
        currency,
        JSON.stringify(policy),
        heldUntil,
        at,
        event.seriesId ?? null,
        capacity,
        providerId,
        bookingId,
        occupied,
      ],
    );
  const held = await outlasting(tx, { providerId, occupied, at }, insert);
  if (!held) throw new DomainError('slot_taken');
}

/**
 * Swaps the slot of a confirmed booking in one statement: the old one is kept until the new one is taken.
 * @throws slot_taken, outside_slot_rules; nothing has changed then
 */
export async function moveSlot(tx: Db, { id, startsAt, endsAt, zone, at }: Slot & { id: string; at: string }): Promise<void> {
  const [booking] = await sql<{ provider_id: string; service_code: string }>(
    tx,
    'select provider_id, service_code from booking where id = ?',
    [id],
  );
  if (!booking) throw new DomainError('row_disagrees', 'There is no such booking row.');
  const { provider_id: providerId, service_code: service } = booking;
  const { occupied, capacity } = await lockAndCheck(tx, { providerId, service, startsAt, endsAt, zone, at }, id);
  const seat = await outlasting(tx, { providerId, occupied, at }, () =>
    sql<{ seat: number }>(tx, freeSeat, [capacity, providerId, id, occupied]),
  );
  if (!seat) throw new DomainError('slot_taken');
  const moved = await sql(
    tx,
    `update booking set during = ?::tstzrange, occupied = ?::tstzrange, seat = ?, zone = ?, reschedule = null where id = ? and status = 'confirmed' returning id`,
    [rangeOf(startsAt, endsAt), occupied, seat.seat, zone, id],
  );
  if (moved.length !== 1) throw new DomainError('row_disagrees', 'The booking row cannot be rescheduled.');
}

// The lowest seat nobody else occupies meanwhile.
const freeSeat = `
  select s.seat from generate_series(0, ?::int - 1) as s(seat)
  where not exists (select 1 from booking b
    where b.provider_id = ? and b.id <> ? and b.seat = s.seat and b.status in (${occupying}) and b.occupied && ?::tstzrange)
  order by s.seat limit 1`;

async function lockAndCheck(tx: Db, taker: Taker, own?: string): Promise<{ occupied: string; capacity: number }> {
  const { providerId, service, startsAt, endsAt, at } = taker;
  await sql(tx, 'select 1 from provider where id = ? for no key update', [providerId]);
  const calendar = await checkCalendar(tx, providerId, service, { startsAt, endsAt }, Date.parse(at), { except: own });
  const { start, end } = occupiedBy(calendar, toInterval({ start: startsAt, end: endsAt }));
  const occupied = rangeOf(iso(start), iso(end));
  return { occupied, capacity: calendar.capacity };
}

/** What stands in the way of a slot that the calendar calls free is a hold that has run out. */
async function outlasting<T>(tx: Db, wanted: Wanted, take: () => Promise<T[]>): Promise<T | undefined> {
  const [taken] = await take();
  if (taken) return taken;
  await releaseExpiredHolds(tx, wanted);
  return (await take())[0];
}

/**
 * Holds that have run out and whose run has not come to release them yet: readers see their slots as free, so they are. The
 * release stands on their own timelines, where their runs find it. A run that is just writing wins.
 */
async function releaseExpiredHolds(tx: Db, { providerId, occupied, at }: Wanted): Promise<void> {
  await sql(
    tx,
    `with expired as (
       select b.id, b.consumer_id, b.provider_id, 'booking/' || b.id as stream,
         exists (select 1 from payment p where p.booking_id = b.id and p.status in ('requested', 'authorised')) as settling
       from booking b where b.provider_id = ? and b.status = 'held' and b.held_until <= ? and b.occupied && ?::tstzrange),
     written as (
       insert into event (stream, seq, command_id, part, type, actor_id, actor_role, at, data, audience)
       select x.stream, (select max(seq) + 1 from event e where e.stream = x.stream), 'release/expired', 0, 'booking.released', ?, 'system', ?,
         jsonb_build_object('code', 'hold_expired') || case when x.settling then '{"settling": true}'::jsonb else '{}'::jsonb end,
         array[x.consumer_id, x.provider_id]
       from expired x on conflict do nothing returning stream, seq),
     told as (
       insert into notification (recipient_id, kind, stream, seq, data)
       select recipient, 'booking_released', w.stream, w.seq, '{}' from written w join expired x using (stream),
         unnest(array[x.consumer_id, x.provider_id]) as recipient on conflict do nothing),
     closed as (delete from open_stream o using written w join expired x using (stream) where o.stream = w.stream and not x.settling)
     update booking b set status = 'released', status_reason = 'hold_expired', closed_at = ?
     from written w join expired x using (stream) where b.id = x.id and b.status = 'held'`,
    [providerId, at, occupied, SYSTEM.id, at, at],
  );
}

async function assertCanPay(tx: Db, consumerId: string): Promise<void> {
  const rows = await sql(tx, 'select 1 from payment_method where user_id = ? and method_ref is not null', [consumerId]);
  if (rows.length === 0) throw new DomainError('payment_method_missing');
}
