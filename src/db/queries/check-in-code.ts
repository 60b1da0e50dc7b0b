import { DomainError } from '../../domain/errors.ts';
import { sql, type Db } from '../orm.ts';
import { randomCode } from '../projections/booking.ts';

/** Wrong tries after which only a new code helps. The chance to guess one of a million codes in five tries is negligible. */
export const mostWrongCodes = 5;

/**
 * Compares the code and counts a wrong try, in one statement that locks the row: however many callers come at the same time, only this many
 * get an answer. The right code gives all tries back.
 * @returns whether the code is right, and the number of tries left
 * @throws code_locked when no try is left, and for bookings of earlier releases, which have no code
 */
export async function tryCode(em: Db, bookingId: string, code: string): Promise<{ right: boolean; left: number }> {
  const [row] = await sql<{ right: boolean; left: number }>(
    em,
    `update check_in_code set wrong = case when code = ? then 0 else wrong + 1 end
     where booking_id = ? and wrong < ${mostWrongCodes} returning code = ? as right, ${mostWrongCodes} - wrong as left`,
    [code, bookingId, code],
  );
  if (!row) throw new DomainError('code_locked');
  return row;
}

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
