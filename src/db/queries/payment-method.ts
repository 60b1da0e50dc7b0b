import type { PaymentMethodView } from '../../contracts/payment.ts';
import { sql, type Db } from '../orm.ts';
import { instantText } from './page.ts';

/** Shorter than any payment provider remembers an idempotency key, longer than any step is retried by itself. */
const longAgo = '1 hour';

export interface KnownPayer {
  method: string | null;
  customer: string | null;
  /** The payment provider has attached the method to the customer. */
  attached: boolean;
  /**
   * The authorisation was first asked for more than `longAgo` ago, so its key may be forgotten. Also true when nothing is known
   * about it.
   */
  askedLongAgo: boolean;
}

export async function payerOf(em: Db, userId: string, { bookingId, attempt }: { bookingId: string; attempt: number }): Promise<KnownPayer> {
  const [row] = await sql<KnownPayer>(
    em,
    `select m.method_ref as method, m.customer_ref as customer, coalesce(m.attached, false) as attached,
       coalesce((select p.created_at < now() - ?::interval from payment p where p.booking_id = ? and p.attempt = ?), true) as "askedLongAgo"
     from (select ?::uuid as user_id) u left join payment_method m using (user_id)`,
    [longAgo, bookingId, attempt, userId],
  );
  return row!;
}

/** Stores the payer's customer, unless one is stored already. @returns the stored customer: the first writer wins */
export async function keepCustomer(em: Db, userId: string, customer: string): Promise<string> {
  const [row] = await sql<{ customer: string }>(
    em,
    `insert into payment_method (user_id, customer_ref) values (?, ?)
     on conflict (user_id) do update set customer_ref = coalesce(payment_method.customer_ref, excluded.customer_ref)
     returning customer_ref as customer`,
    [userId, customer],
  );
  return row!.customer;
}

/** Marks the method as attached. Changes nothing when the payer has stored another method in between. */
export async function markAttached(em: Db, userId: string, method: string, attachedAs: string): Promise<void> {
  await sql(em, 'update payment_method set method_ref = ?, attached = true where user_id = ? and method_ref = ?', [
    attachedAs,
    userId,
    method,
  ]);
}

export async function storeMethod(tx: Db, userId: string, method: string): Promise<void> {
  await sql(
    tx,
    `insert into payment_method (user_id, method_ref, stored_at) values (?, ?, now())
     on conflict (user_id) do update set method_ref = excluded.method_ref, stored_at = excluded.stored_at, attached = false`,
    [userId, method],
  );
}

/**
 * Removes the method. The customer stays, because authorisations made for it may still have to be released.
 * @returns whether there was a method
 */
export async function forgetMethod(tx: Db, userId: string): Promise<boolean> {
  const rows = await sql(
    tx,
    'update payment_method set method_ref = null, stored_at = null, attached = false where user_id = ? and method_ref is not null returning user_id',
    [userId],
  );
  return rows.length > 0;
}

export async function paymentMethodOf(em: Db, userId: string): Promise<PaymentMethodView> {
  const [row] = await sql<{ storedAt: string | null; seq: number }>(
    em,
    `select (select ${instantText('m.stored_at')} from payment_method m where m.user_id = ?) as "storedAt",
       (select coalesce(max(seq), 0)::int from event where stream = 'user/' || ?) as seq`,
    [userId, userId],
  );
  return { stored: row!.storedAt !== null, ...row!, links: { self: '/api/v1/me/payment-method', me: '/api/v1/me' } };
}
