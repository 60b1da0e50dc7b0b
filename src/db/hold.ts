// The one place that writes a hold.
import { occupiedBy } from '../domain/availability.ts';
import type { BookingHeld } from '../domain/booking.types.ts';
import { DomainError } from '../domain/errors.ts';
import { checkCalendar, occupying, toInterval } from './calendar.ts';
import { sql, type Db } from './orm.ts';
import { rangeOf } from './projections/move.ts';

/**
 * Reserves the slot of an acceptance. The provider's row is locked first, so racers queue instead of colliding, and the
 * exclusion constraint has the last word.
 * @throws slot_taken when somebody else was faster
 */
export async function holdSlot(tx: Db, event: BookingHeld & { at: string }): Promise<void> {
  const { bookingId, requestId, offerId, consumerId, providerId, service, startsAt, endsAt, zone, price, currency, policy, heldUntil, at } =
    event;
  await sql(tx, 'select 1 from provider where id = ? for no key update', [providerId]);
  const calendar = await checkCalendar(tx, providerId, service, { startsAt, endsAt }, Date.parse(at));
  const occupied = occupiedBy(calendar, toInterval({ start: startsAt, end: endsAt }));
  const occupiedRange = rangeOf(new Date(occupied.start).toISOString(), new Date(occupied.end).toISOString());
  const held = await sql(
    tx,
    `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, during, occupied, seat, zone, price, currency, policy, held_until, created_at)
     select ?, ?, ?, ?, ?, ?, ?::tstzrange, ?::tstzrange, seat, ?, ?, ?, ?::jsonb, ?, ?
     from generate_series(0, ?::int - 1) as seat
     where not exists (select 1 from booking b where b.provider_id = ? and b.seat = seat.seat and b.status in (${occupying}) and b.occupied && ?::tstzrange)
     order by seat limit 1
     on conflict do nothing returning id`,
    [
      bookingId,
      requestId,
      offerId,
      consumerId,
      providerId,
      service,
      rangeOf(startsAt, endsAt),
      occupiedRange,
      zone,
      price,
      currency,
      JSON.stringify(policy),
      heldUntil,
      at,
      calendar.capacity,
      providerId,
      occupiedRange,
    ],
  );
  if (held.length === 0) throw new DomainError('slot_taken');
}
