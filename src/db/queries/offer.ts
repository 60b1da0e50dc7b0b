import type { LeadInsights, LeadView, OfferView } from '../../contracts/offer.ts';
import type { Actor } from '../../domain/actor.ts';
import type { Currency } from '../../domain/money.ts';
import { sql, type Db } from '../orm.ts';
import { instantText, ownedBy, ownedRow, pageAfter, type PageInput } from './page.ts';
import { factsThatCount } from './draft.ts';
import type { OfferStatus } from '../../domain/request/offer.ts';

interface OfferRow {
  id: string;
  requestId: string;
  consumerId: string;
  providerId: string;
  displayName: string;
  ratingSum: number;
  ratingCount: number;
  round: number;
  status: OfferStatus;
  statusReason: string | null;
  version: number;
  price: number;
  currency: Currency;
  startsAt: string;
  endsAt: string;
  zone: string;
  expiresAt: string | null;
  bookingId: string | null;
  answered: boolean;
  createdAt: string;
  changedAt: string;
}

const offerColumns = `o.id, o.request_id as "requestId", r.consumer_id as "consumerId", o.provider_id as "providerId", p.display_name as "displayName",
    p.rating_sum as "ratingSum", p.rating_count as "ratingCount", o.round, o.status, o.status_reason as "statusReason", o.version, o.price, o.currency,
    ${instantText('lower(o.during)')} as "startsAt", ${instantText('upper(o.during)')} as "endsAt", o.zone, ${instantText('o.expires_at')} as "expiresAt",
    o.proposed_at is not null as answered, case when r.accepted_offer_id = o.id then r.booking_id end as "bookingId", ${instantText('o.created_at')} as "createdAt", ${instantText('o.changed_at')} as "changedAt"`;
const fromOffers = 'from offer o join request r on r.id = o.request_id join provider p on p.id = o.provider_id';
const selectOffers = `select ${offerColumns} ${fromOffers}`;

/** An offer, for its consumer or provider. @throws not_found, not_owner */
export async function offerFor(em: Db, actor: Actor, id: string): Promise<OfferView & { consumerId: string }> {
  const [row] = await sql<OfferRow>(em, `${selectOffers} where o.id = ?`, [id], { prepared: true });
  // The consumer does not see an invitation before the provider has answered.
  const owned = ownedRow(row, actor, ({ consumerId, providerId, answered }) => (answered ? [consumerId, providerId] : [providerId]));
  return { ...toOfferView(owned), consumerId: owned.consumerId };
}

/** Offers of one request for its consumer: those that a provider has answered. @throws not_found, not_owner */
export async function offersOfRequest(em: Db, actor: Actor, requestId: string): Promise<OfferView[]> {
  const rows = await sql<OfferRow & { id: string | null }>(
    em,
    `select ${offerColumns} from request r left join offer o on o.request_id = r.id and (o.proposed_at is not null or ?) left join provider p on p.id = o.provider_id
     where r.id = ? order by o.score desc, o.id`,
    [actor.role === 'admin', requestId],
  );
  ownedRow(rows[0], actor, ({ consumerId }) => [consumerId]);
  return rows.filter(({ id }) => id !== null).map(toOfferView);
}

/** Offers in which the actor is consumer or provider, newest first. */
export async function listOffers(em: Db, actor: Actor, page: PageInput & { status?: OfferStatus | undefined }): Promise<OfferView[]> {
  const owner = ownedBy(actor, 'o.provider_id = ? or r.consumer_id = ? and o.proposed_at is not null');
  const after = pageAfter(page, 'o');
  const rows = await sql<OfferRow>(
    em,
    `${selectOffers} where (?::text is null or o.status = ?) ${owner.where} ${after.where}
     order by o.created_at desc, o.id desc limit ?`,
    [page.status ?? null, page.status ?? null, ...owner.params, ...after.params, page.limit + 1],
  );
  return rows.map(toOfferView);
}

interface LeadRow extends OfferRow {
  service: string;
  mode: 'compare' | 'instant';
  region: string | null;
  distanceKm: number | null;
  details: Record<string, unknown>;
  why: Record<string, number> | null;
}

/**
 * A provider's invitations, with the wishes of the consumer and the reasons why the provider was asked. Addresses are shown
 * with the booking, not before.
 */
export async function listLeads(em: Db, providerId: string, page: PageInput & { status?: OfferStatus | undefined }): Promise<LeadView[]> {
  const after = pageAfter(page, 'o');
  const rows = await sql<LeadRow>(
    em,
    `select ${offerColumns}, r.service_code as service, r.mode, c.distance_km as "distanceKm", c.contributions as why,
       (select f.value ->> 'place' from fact f where ${factsThatCount} and f.key = 'location') as region,
       coalesce((select jsonb_object_agg(f.key, f.value) from fact f
         where ${factsThatCount} and f.key not in ('location', 'service')), '{}') as details
     ${fromOffers} left join candidate c on c.request_id = o.request_id and c.round = o.round and c.provider_id = o.provider_id
     where o.provider_id = ? and (?::text is null or o.status = ?) ${after.where} order by o.created_at desc, o.id desc limit ?`,
    [providerId, page.status ?? null, page.status ?? null, ...after.params, page.limit + 1],
  );
  return rows.map((row) => ({
    offer: toOfferView(row),
    service: row.service,
    region: row.region,
    distanceKm: row.distanceKm === null ? null : Math.round(row.distanceKm * 10) / 10,
    mode: row.mode,
    details: row.details,
    why: row.why ?? {},
  }));
}

const insightDays = 30;

/** The gates that kept a provider from being asked lately. */
export async function leadInsights(em: Db, providerId: string): Promise<LeadInsights> {
  const [row] = await sql<{ invited: number; averageScore: number | null; stoppedByGate: Record<string, number> }>(
    em,
    `with recent as (select * from candidate where provider_id = ? and created_at > now() - interval '${insightDays} days')
     select (select count(*)::int from recent where invited) as invited,
       (select round(avg(score)::numeric, 1)::float from recent where cardinality(gates) = 0) as "averageScore",
       coalesce((select jsonb_object_agg(gate, times) from (select unnest(gates) as gate, count(*)::int as times from recent group by 1) g), '{}') as "stoppedByGate"`,
    [providerId],
  );
  return { days: insightDays, ...row! };
}

export function toOfferView(row: OfferRow): OfferView {
  const { id, requestId, providerId, displayName, ratingSum, ratingCount, price, currency, startsAt, endsAt, zone } = row;
  const self = `/api/v1/offers/${id}`;
  const links: Record<string, string> = { self, request: `/api/v1/requests/${requestId}` };
  if (row.bookingId) links.booking = `/api/v1/bookings/${row.bookingId}`;
  return {
    id,
    requestId,
    provider: {
      id: providerId,
      displayName,
      rating: ratingCount ? Math.round((ratingSum / ratingCount) * 10) / 10 : null,
      reviews: ratingCount,
    },
    round: row.round,
    status: row.status,
    statusReason: row.statusReason,
    version: row.version,
    price: { amount: price, currency },
    slot: { startsAt, endsAt, zone },
    expiresAt: row.expiresAt,
    bookingId: row.bookingId,
    createdAt: row.createdAt,
    changedAt: row.changedAt,
    links,
  };
}
