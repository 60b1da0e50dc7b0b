// Keeps a slot for one booking: the first step of every acceptance.
import type { BookingHeld } from '../../domain/booking/types.ts';
import { DomainError } from '../../domain/errors.ts';
import { sql, type Db } from '../orm.ts';
import { rangeOf } from '../projections/move.ts';
import { freeSeat, freeSeatOf, lockCalendar, takeSeat } from './seat.ts';

/**
 * Writes the booking's row with the first free seat of its slot. The provider's row is locked, and the table's exclusion
 * constraint guarantees that no two bookings hold one seat at the same time.
 * @throws slot_taken when another booking took the seat first, outside_slot_rules, payment_method_missing
 */
export async function holdSlot(tx: Db, event: BookingHeld & { at: string }): Promise<void> {
  const { bookingId, startsAt, endsAt, policy } = event;
  // Requests of releases without payments have no `payments` in their policy.
  if ((policy.payments ?? 'none') !== 'none') await assertCanPay(tx, event.consumerId);
  const slot = await lockCalendar(tx, event);
  await takeSeat(tx, slot, () =>
    sql(
      tx,
      insertBooking,
      [
        bookingId,
        event.requestId,
        event.offerId,
        event.consumerId,
        event.providerId,
        event.service,
        rangeOf(startsAt, endsAt),
        slot.occupied,
        event.zone,
        event.price,
        event.currency,
        JSON.stringify(policy),
        event.heldUntil,
        event.at,
        event.seriesId ?? null,
        ...freeSeatOf(slot, bookingId),
      ],
      { prepared: true },
    ),
  );
}

const insertBooking = `
  insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, during, occupied, seat, zone, price, currency, policy, held_until, created_at, series_id)
  select ?, ?, ?, ?, ?, ?, ?::tstzrange, ?::tstzrange, seat, ?, ?, ?, ?::jsonb, ?, ?, ? from (${freeSeat}) as seat
  on conflict do nothing returning id`;

async function assertCanPay(tx: Db, consumerId: string): Promise<void> {
  const rows = await sql(tx, 'select 1 from payment_method where user_id = ? and method_ref is not null', [consumerId], { prepared: true });
  if (rows.length === 0) throw new DomainError('payment_method_missing');
}
