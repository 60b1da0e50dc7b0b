import type { BookingView } from '../../contracts/booking.ts';
import type { Actor } from '../../domain/actor.ts';
import type { BookingStatus } from '../../domain/booking/machine.ts';
import type { Currency } from '../../domain/money.ts';
import { defaultPolicy, type Policy } from '../../domain/policy.ts';
import { sql, type Db } from '../orm.ts';
import { mostWrongCodes } from './check-in-code.ts';
import { instantText, ownedBy, ownedRow, pageAfter, type PageInput } from './page.ts';
import { iso } from '../../domain/time.ts';
import { factsThatCount } from './draft.ts';

type Plain =
  | 'id'
  | 'requestId'
  | 'offerId'
  | 'seriesId'
  | 'status'
  | 'statusReason'
  | 'service'
  | 'heldUntil'
  | 'createdAt'
  | 'closedAt'
  | 'seq'
  | 'address'
  | 'reschedule'
  | 'checkInCode';

interface BookingRow extends Pick<BookingView, Plain> {
  providerId: string;
  providerName: string;
  providerEmail: string | null;
  consumerId: string;
  consumerName: string | null;
  consumerEmail: string | null;
  startsAt: string;
  endsAt: string;
  zone: string;
  price: number;
  finalPrice: number | null;
  fee: number | null;
  refund: number | null;
  currency: Currency;
  payment: { status: NonNullable<BookingView['payment']>['status']; authorised: number; captured: number; refunded: number } | null;
  policy: Partial<Policy>;
}

const selectBookings = `
  select b.id, b.request_id as "requestId", b.offer_id as "offerId", b.series_id as "seriesId", b.status, b.status_reason as "statusReason",
    b.service_code as service, b.provider_id as "providerId", p.display_name as "providerName", pu.email as "providerEmail",
    b.consumer_id as "consumerId", u.display_name as "consumerName", u.email as "consumerEmail",
    ${instantText('lower(b.during)')} as "startsAt", ${instantText('upper(b.during)')} as "endsAt", b.zone,
    case when (b.reschedule ->> 'expiresAt')::timestamptz > now() then b.reschedule end as reschedule,
    b.price, b.final_price as "finalPrice", b.fee, b.refund, b.currency, b.policy,
    (select jsonb_build_object('status', (array_agg(y.status order by y.attempt desc))[1],
        'authorised', coalesce(sum(y.amount) filter (where y.status = 'authorised'), 0), 'captured', sum(y.captured), 'refunded', sum(y.refunded))
      from payment y where y.booking_id = b.id having count(*) > 0) as payment,
    (select f.value ->> 'address' from request r join fact f on ${factsThatCount} and f.key = 'location' where r.id = b.request_id) as address,
    (select c.code from check_in_code c where c.booking_id = b.id and c.wrong < ${mostWrongCodes}) as "checkInCode",
    ${instantText('b.held_until')} as "heldUntil", ${instantText('b.created_at')} as "createdAt", ${instantText('b.closed_at')} as "closedAt",
    (select max(seq) from event e where e.stream = 'booking/' || b.id) as seq
  from booking b join provider p on p.id = b.provider_id join user_account pu on pu.id = b.provider_id join user_account u on u.id = b.consumer_id`;

/** A booking, for its consumer or provider. @throws not_found, not_owner */
export async function bookingFor(em: Db, actor: Actor, id: string): Promise<BookingView> {
  return (await bookingWithPolicy(em, actor, id)).booking;
}

/** A booking with the policy that was agreed on with it. @throws not_found, not_owner */
export async function bookingWithPolicy(em: Db, actor: Actor, id: string): Promise<{ booking: BookingView; policy: Policy }> {
  const [row] = await sql<BookingRow>(em, `${selectBookings} where b.id = ?`, [id]);
  const owned = ownedRow(row, actor, ({ consumerId, providerId }) => [consumerId, providerId]);
  return { booking: toBookingView(owned, actor), policy: policyOf(owned) };
}

/** Bookings in which the actor is consumer or provider, newest first. */
export async function listBookings(em: Db, actor: Actor, page: PageInput & { status?: BookingStatus | undefined }): Promise<BookingView[]> {
  const owner = ownedBy(actor, 'b.consumer_id = ? or b.provider_id = ?');
  const after = pageAfter(page, 'b');
  const rows = await sql<BookingRow>(
    em,
    `${selectBookings} where (?::text is null or b.status = ?) ${owner.where} ${after.where}
     order by b.created_at desc, b.id desc limit ?`,
    [page.status ?? null, page.status ?? null, ...owner.params, ...after.params, page.limit + 1],
  );
  return rows.map((row) => toBookingView(row, actor));
}

/** Bookings of earlier releases lack the newer policy fields. The defaults stand in for them. */
const policyOf = ({ policy }: BookingRow): Policy => ({ ...defaultPolicy, ...policy });

function toBookingView(row: BookingRow, actor: Actor): BookingView {
  const { id, requestId, consumerId, currency, status, closedAt } = row;
  const policy = policyOf(row);
  const money = (amount: number | null) => (amount === null ? null : { amount, currency });
  const afterEnd = (ms: number) => iso(Date.parse(closedAt!) + ms);
  const contestUntil = status === 'no_show' ? afterEnd(policy.contestMs) : null;
  const disputeUntil = status === 'completed' ? afterEnd(policy.disputeMs) : null;
  const shared = isShared(status, contestUntil ?? disputeUntil);
  const confirmedOnce = status !== 'held' && status !== 'released';
  const self = `/api/v1/bookings/${id}`;
  return {
    id,
    requestId,
    offerId: row.offerId,
    seriesId: row.seriesId,
    status,
    statusReason: row.statusReason,
    service: row.service,
    slot: { startsAt: row.startsAt, endsAt: row.endsAt, zone: row.zone },
    reschedule: row.reschedule,
    price: { amount: row.price, currency },
    finalPrice: money(row.finalPrice),
    fee: money(row.fee),
    refund: money(row.refund),
    payment: policy.payments === 'none' ? null : toPayment(row),
    provider: { id: row.providerId, displayName: row.providerName },
    consumer: { id: consumerId, displayName: confirmedOnce || actor.id === consumerId ? row.consumerName : null },
    contact: shared
      ? {
          consumer: { displayName: row.consumerName, email: row.consumerEmail },
          provider: { displayName: row.providerName, email: row.providerEmail },
        }
      : null,
    address: shared ? row.address : null,
    checkInCode: status === 'confirmed' && actor.id === consumerId ? row.checkInCode : null,
    heldUntil: row.heldUntil,
    contestUntil,
    disputeUntil,
    createdAt: row.createdAt,
    closedAt,
    seq: row.seq,
    links: { self, request: `/api/v1/requests/${requestId}`, timeline: `${self}/timeline` },
  };
}

/**
 * Whether each side sees the contact data and the address. They are hidden before the slot is confirmed. They are hidden again
 * when nothing is left to settle: after a cancellation, after a ruling, and when the time to object to the end has passed.
 */
function isShared(status: BookingStatus, objectionsUntil: string | null): boolean {
  if (objectionsUntil !== null) return Date.now() < Date.parse(objectionsUntil);
  return status === 'confirmed' || status === 'in_progress' || status === 'disputed';
}

function toPayment({ payment, currency }: BookingRow): NonNullable<BookingView['payment']> {
  const { status = null, authorised = 0, captured = 0, refunded = 0 } = payment ?? {};
  const of = (amount: number) => ({ amount, currency });
  return { status, authorised: of(authorised), captured: of(captured), refunded: of(refunded) };
}
