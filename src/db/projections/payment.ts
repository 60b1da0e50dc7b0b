import type { BookingEvent } from '../../domain/booking/types.ts';
import { DomainError } from '../../domain/errors.ts';
import { paymentMachine } from '../../domain/booking/machine.ts';
import { sql, type Db } from '../orm.ts';
import type { Projectors } from './move.ts';
import { nothing } from './move.ts';

type PaymentEvent = Extract<BookingEvent, { type: `payment.${string}` }> & { id: string };

/** The events of a booking's payment stand on the booking's timeline; `id` is the booking's id. */
export const paymentProjectors = {
  'payment.requested': (tx, { id, attempt, amount, at }) =>
    sql(
      tx,
      `insert into payment (id, booking_id, attempt, amount, currency, created_at, changed_at)
       select gen_random_uuid(), id, ?, ?, currency, ?, ? from booking where id = ?`,
      [attempt, amount, at, at, id],
    ),
  'payment.authorised': (tx, { id, attempt, ref, lapsesAt, at }) =>
    movePayment(tx, { id, attempt, at, move: 'authorise' }, 'ref = ?, lapses_at = ?', [ref, lapsesAt]),
  'payment.declined': (tx, { id, attempt, at }) => movePayment(tx, { id, attempt, at, move: 'decline' }),
  // After a partial capture the payment provider releases the rest.
  'payment.captured': (tx, { id, attempt, amount, at }) =>
    movePayment(tx, { id, attempt, at, move: 'capture' }, 'captured = ?, released = amount - ?', [amount, amount]),
  'payment.released': (tx, { id, attempt, at }) => movePayment(tx, { id, attempt, at, move: 'release' }, 'released = amount', []),
  'payment.refunded': async (tx, { id, attempt, amount, at }) => {
    const rows = await sql(
      tx,
      `update payment set refunded = refunded + ?, changed_at = ? where booking_id = ? and attempt = ? and refunded + ? <= captured returning id`,
      [amount, at, id, attempt, amount],
    );
    if (rows.length !== 1) throw new DomainError('row_disagrees', 'The payment row cannot refund.');
  },
  'payment.stuck': nothing,
  'payment.resumed': nothing,
  'payment.written_off': nothing,
  'payment.closed': nothing,
} satisfies Projectors<PaymentEvent>;

interface Moving {
  id: string;
  attempt: number;
  at: string;
  move: keyof typeof paymentMachine.moves;
}

/** @throws row_disagrees when the row does not have the status that its timeline implies */
async function movePayment(tx: Db, { id, attempt, at, move }: Moving, set = '', params: unknown[] = []): Promise<void> {
  const { from, to } = paymentMachine.moves[move];
  const rows = await sql(
    tx,
    // oxlint-disable-next-line proxie/constant-sql -- one text for each `set` above
    `update payment set status = ?, changed_at = ?${set && `, ${set}`} where booking_id = ? and attempt = ? and status = any(?::text[]) returning id`,
    [to, at, ...params, id, attempt, `{${from.join(',')}}`],
  );
  if (rows.length !== 1) throw new DomainError('row_disagrees', `The payment row cannot ${move}.`);
}
