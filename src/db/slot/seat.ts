// Finds and takes a seat in one provider's calendar. Two bookings never get the same seat.
import type { BookingHeld } from '../../domain/booking/types.ts';
import { occupiedBy } from '../../domain/calendar/availability.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Slot } from '../../domain/terms.ts';
import { iso } from '../../domain/time.ts';
import { occupying } from '../calendar.ts';
import { sql, type Db } from '../orm.ts';
import { rangeOf } from '../projections/move.ts';
import { checkCalendar, intervalOf } from './check.ts';
import { releaseExpiredHolds } from './expired-hold.ts';

type Wanted = Pick<BookingHeld, 'providerId' | 'service'> & Slot & { at: string };

/** A slot that its provider's calendar allows. */
export interface AllowedSlot {
  providerId: string;
  capacity: number;
  /** A Postgres range: the slot with its buffers. */
  occupied: string;
  at: string;
}

/**
 * Locks the provider's row, then checks the calendar. Every booking of this provider waits for the end of this transaction, so
 * concurrent bookings queue instead of colliding.
 * @param moving id of the booking that moves, if one does
 * @throws slot_taken, outside_slot_rules
 */
export async function lockCalendar(tx: Db, wanted: Wanted, moving?: string): Promise<AllowedSlot> {
  const { providerId, service, at } = wanted;
  await sql(tx, 'select 1 from provider where id = ? for no key update', [providerId], { prepared: true });
  const calendar = await checkCalendar(tx, providerId, service, wanted, Date.parse(at), { except: moving });
  const { start, end } = occupiedBy(calendar, intervalOf(wanted));
  return { providerId, capacity: calendar.capacity, occupied: rangeOf(iso(start), iso(end)), at };
}

/** SQL that finds the lowest seat that no other booking occupies; `freeSeatOf` gives its values. */
export const freeSeat = `
  select s.seat from generate_series(0, ?::int - 1) as s(seat)
  where not exists (select 1 from booking b
    where b.provider_id = ? and b.id <> ? and b.seat = s.seat and b.status in (${occupying}) and b.occupied && ?::tstzrange)
  order by s.seat limit 1`;

export const freeSeatOf = ({ capacity, providerId, occupied }: AllowedSlot, bookingId: string): readonly unknown[] => [
  capacity,
  providerId,
  bookingId,
  occupied,
];

/**
 * Runs a statement that takes a seat. An expired hold can block a slot that the calendar lists as free: when the statement
 * finds no seat, the expired holds are released, and the statement runs once more.
 * @returns the statement's row
 * @throws slot_taken when there is still no seat, because another booking took it first
 */
export async function takeSeat<T>(tx: Db, slot: AllowedSlot, take: () => Promise<T[]>): Promise<T> {
  let [taken] = await take();
  if (!taken) {
    await releaseExpiredHolds(tx, slot);
    [taken] = await take();
  }
  if (!taken) throw new DomainError('slot_taken');
  return taken;
}
