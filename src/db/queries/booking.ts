import type { BookingView } from '../../contracts/booking.ts';
import type { Actor } from '../../domain/actor.ts';
import type { BookingStatus } from '../../domain/booking.machine.ts';
import type { Currency } from '../../domain/money.ts';
import { sql, type Db } from '../orm.ts';
import { instantText, ownedRow, pageAfter, type PageInput } from './page.ts';

interface BookingRow extends Pick<
  BookingView,
  'id' | 'requestId' | 'offerId' | 'status' | 'statusReason' | 'service' | 'heldUntil' | 'createdAt' | 'closedAt' | 'seq' | 'address'
> {
  providerId: string;
  providerName: string;
  consumerId: string;
  consumerName: string | null;
  startsAt: string;
  endsAt: string;
  zone: string;
  price: number;
  finalPrice: number | null;
  currency: Currency;
}

// Where to go is nobody's business before the slot is confirmed, nor after a hold was released.
const selectBookings = `
  select b.id, b.request_id as "requestId", b.offer_id as "offerId", b.status, b.status_reason as "statusReason", b.service_code as service,
    b.provider_id as "providerId", p.display_name as "providerName", b.consumer_id as "consumerId", u.display_name as "consumerName",
    ${instantText('lower(b.during)')} as "startsAt", ${instantText('upper(b.during)')} as "endsAt", b.zone, b.price, b.final_price as "finalPrice", b.currency,
    case when b.status not in ('held', 'released') then (select f.value ->> 'address' from fact f
      where f.stream = 'request/' || b.request_id and f.status = 'current' and f.key = 'location') end as address,
    ${instantText('b.held_until')} as "heldUntil", ${instantText('b.created_at')} as "createdAt", ${instantText('b.closed_at')} as "closedAt",
    (select max(seq) from event e where e.stream = 'booking/' || b.id) as seq
  from booking b join provider p on p.id = b.provider_id join user_account u on u.id = b.consumer_id`;

/** A booking for either of its two sides. @throws not_found, not_owner */
export async function bookingFor(em: Db, actor: Actor, id: string): Promise<BookingView> {
  const [row] = await sql<BookingRow>(em, `${selectBookings} where b.id = ?`, [id]);
  return toBookingView(ownedRow(row, actor, ({ consumerId, providerId }) => [consumerId, providerId]));
}

/** Bookings of either side, newest first. */
export async function listBookings(em: Db, actor: Actor, page: PageInput & { status?: BookingStatus | undefined }): Promise<BookingView[]> {
  const after = pageAfter(page, 'b');
  const rows = await sql<BookingRow>(
    em,
    `${selectBookings} where (? or b.consumer_id = ? or b.provider_id = ?) and (?::text is null or b.status = ?) ${after.where}
     order by b.created_at desc, b.id desc limit ?`,
    [actor.role === 'admin', actor.id, actor.id, page.status ?? null, page.status ?? null, ...after.params, page.limit + 1],
  );
  return rows.map(toBookingView);
}

export function toBookingView(row: BookingRow): BookingView {
  const { providerId, providerName, consumerId, consumerName, startsAt, endsAt, zone, price, finalPrice, currency, ...rest } = row;
  return {
    ...rest,
    slot: { startsAt, endsAt, zone },
    price: { amount: price, currency },
    finalPrice: finalPrice === null ? null : { amount: finalPrice, currency },
    provider: { id: providerId, displayName: providerName },
    consumer: { id: consumerId, displayName: consumerName },
    links: {
      self: `/api/v1/bookings/${row.id}`,
      request: `/api/v1/requests/${row.requestId}`,
      timeline: `/api/v1/bookings/${row.id}/timeline`,
    },
  };
}
