import { DomainError } from '../../domain/errors.ts';
import { sql, type Db } from '../orm.ts';
import { randomCode } from '../projections/booking.ts';

/** Wrong tries after which only a new code helps. The chance to guess one of a million codes in five tries is negligible. */
export const mostWrongCodes = 5;

/**
 * Takes one try before the code is compared. However many callers come at the same time, only this many get an answer.
 * @returns the right code and the number of tries left
 * @throws code_locked when no try is left, and for bookings of earlier releases, which have no code
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

/** Gives all tries back after the right code: it was no guess. */
export const giveTriesBack = (em: Db, bookingId: string, code: string) =>
  sql(em, 'update check_in_code set wrong = 0 where booking_id = ? and code = ?', [bookingId, code]);

/** Replaces the code with a new one that has all its tries. @returns false unless the booking is confirmed */
export async function renewCode(em: Db, bookingId: string): Promise<boolean> {
  const rows = await sql(
    em,
    `insert into check_in_code (booking_id, code) select id, ? from booking where id = ? and status = 'confirmed'
     on conflict (booking_id) do update set code = excluded.code, wrong = 0, created_at = now() returning booking_id`,
    [randomCode(), bookingId],
  );
  return rows.length > 0;
}
