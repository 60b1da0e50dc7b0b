import { DomainError } from '../../domain/errors.ts';
import { sql, type Db } from '../orm.ts';
import { randomCode } from '../projections/booking.ts';

/** Wrong codes after which only a new code helps: of a million, nobody guesses one in five. */
export const mostWrongCodes = 5;

/**
 * Takes one of the tries, before anything is compared: however many come at once, no more than these are ever answered.
 * @returns the right code and the tries that are left
 * @throws code_locked also when there is no code: bookings of earlier releases have none
 */
export async function takeTry(em: Db, bookingId: string): Promise<{ code: string; left: number }> {
  const [row] = await sql<{ code: string; left: number }>(
    em,
    `update check_in_code set wrong = wrong + 1 where booking_id = ? and wrong < ${mostWrongCodes} returning code, ${mostWrongCodes} - wrong as left`,
    [bookingId],
  );
  if (!row) throw new DomainError('code_locked');
  return row;
}

/** Whoever has the right code has not guessed: the tries are given back. */
export const giveTriesBack = (em: Db, bookingId: string, code: string) =>
  sql(em, 'update check_in_code set wrong = 0 where booking_id = ? and code = ?', [bookingId, code]);

/** A new code in place of the old one, with all its tries. @returns false unless the booking is confirmed */
export async function renewCode(em: Db, bookingId: string): Promise<boolean> {
  const rows = await sql(
    em,
    `insert into check_in_code (booking_id, code) select id, ? from booking where id = ? and status = 'confirmed'
     on conflict (booking_id) do update set code = excluded.code, wrong = 0, created_at = now() returning booking_id`,
    [randomCode(), bookingId],
  );
  return rows.length > 0;
}
