// Moves a confirmed booking to another slot.
import { DomainError } from '../../domain/errors.ts';
import type { Slot } from '../../domain/terms.ts';
import { sql, type Db } from '../orm.ts';
import { rangeOf } from '../projections/move.ts';
import { freeSeat, freeSeatOf, lockCalendar, takeSeat } from './seat.ts';

/**
 * Swaps the slot in one statement: the booking keeps the old slot until it has the new one.
 * @throws slot_taken, outside_slot_rules; nothing has changed then
 */
export async function moveSlot(tx: Db, { id, startsAt, endsAt, zone, at }: Slot & { id: string; at: string }): Promise<void> {
  const [booking] = await sql<{ provider_id: string; service_code: string }>(
    tx,
    'select provider_id, service_code from booking where id = ?',
    [id],
    { prepared: true },
  );
  if (!booking) throw new DomainError('row_disagrees', 'There is no such booking row.');
  const { provider_id: providerId, service_code: service } = booking;
  const slot = await lockCalendar(tx, { providerId, service, startsAt, endsAt, zone, at }, id);
  const { seat } = await takeSeat(tx, slot, () => sql<{ seat: number }>(tx, freeSeat, freeSeatOf(slot, id), { prepared: true }));
  const moved = await sql(
    tx,
    `update booking set during = ?::tstzrange, occupied = ?::tstzrange, seat = ?, zone = ?, reschedule = null where id = ? and status = 'confirmed' returning id`,
    [rangeOf(startsAt, endsAt), slot.occupied, seat, zone, id],
    { prepared: true },
  );
  if (moved.length !== 1) throw new DomainError('row_disagrees', 'The booking row cannot be rescheduled.');
}
