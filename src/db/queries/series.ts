import type { SeriesView } from '../../contracts/series.ts';
import type { Actor } from '../../domain/actor.ts';
import type { BookingStatus } from '../../domain/booking/machine.ts';
import type { Currency } from '../../domain/money.ts';
import type { OccurrenceStatus, SeriesStatus, SeriesTerms } from '../../domain/series/machine.ts';
import { sql, type Db } from '../orm.ts';
import { instantText, ownedBy, ownedRow, pageAfter, type PageInput } from './page.ts';

type Template = Omit<SeriesTerms, 'seriesId' | 'everyWeeks' | 'starts' | 'zone'> & { status: BookingStatus };

/** The terms of a consumer's booking that a series repeats. @throws not_found, not_owner */
export async function seriesTemplate(em: Db, actor: Actor, bookingId: string): Promise<Template> {
  const [row] = await sql<Template>(
    em,
    `select id as "bookingId", request_id as "requestId", offer_id as "offerId", consumer_id as "consumerId", provider_id as "providerId",
       service_code as service, price, currency, policy, status, (extract(epoch from upper(during) - lower(during)) / 60)::int as "durationMinutes"
     from booking where id = ?`,
    [bookingId],
  );
  return ownedRow(row, actor, ({ consumerId }) => [consumerId]);
}

interface SeriesRow extends Omit<SeriesView, 'price' | 'provider' | 'consumer' | 'occurrences' | 'links'> {
  providerId: string;
  providerName: string;
  consumerId: string;
  consumerName: string | null;
  price: number;
  currency: Currency;
  occurrences: OccurrenceRow[];
}

interface OccurrenceRow {
  n: number;
  status: OccurrenceStatus;
  startsAt: string;
  endsAt: string;
  zone: string;
  bookingId: string | null;
  bookingStatus: BookingStatus | null;
  code: string | null;
  alternatives: { startsAt: string; endsAt: string }[] | null;
}

// After a rescheduling the booking's own slot counts.
const slot = 'coalesce(b.during, o.during)';
const selectSeries = `
  select s.id, s.booking_id as "bookingId", s.status, s.status_reason as "statusReason", s.service_code as service, s.every_weeks as "everyWeeks",
    s.zone, s.price, s.currency, s.provider_id as "providerId", p.display_name as "providerName", s.consumer_id as "consumerId",
    u.display_name as "consumerName", ${instantText('s.expires_at')} as "expiresAt", ${instantText('s.created_at')} as "createdAt",
    ${instantText('s.closed_at')} as "closedAt", (select max(seq) from event e where e.stream = 'series/' || s.id) as seq,
    (select jsonb_agg(jsonb_build_object('n', o.n, 'status', o.status, 'startsAt', ${instantText(`lower(${slot})`)}, 'endsAt', ${instantText(`upper(${slot})`)},
       'zone', coalesce(b.zone, s.zone), 'bookingId', b.id, 'bookingStatus', b.status, 'code', o.code, 'alternatives', o.alternatives) order by o.n)
     from series_occurrence o left join booking b on b.id = o.booking_id where o.series_id = s.id) as occurrences
  from series s join provider p on p.id = s.provider_id join user_account u on u.id = s.consumer_id`;

/** A series, for its consumer or provider. @throws not_found, not_owner */
export async function seriesFor(em: Db, actor: Actor, id: string): Promise<SeriesView> {
  const [row] = await sql<SeriesRow>(em, `${selectSeries} where s.id = ?`, [id]);
  return toSeriesView(ownedRow(row, actor, ({ consumerId, providerId }) => [consumerId, providerId]));
}

/** Series in which the actor is consumer or provider, newest first. */
export async function listSeries(em: Db, actor: Actor, page: PageInput & { status?: SeriesStatus | undefined }): Promise<SeriesView[]> {
  const owner = ownedBy(actor, 's.consumer_id = ? or s.provider_id = ?');
  const after = pageAfter(page, 's');
  const rows = await sql<SeriesRow>(
    em,
    `${selectSeries} where (?::text is null or s.status = ?) ${owner.where} ${after.where}
     order by s.created_at desc, s.id desc limit ?`,
    [page.status ?? null, page.status ?? null, ...owner.params, ...after.params, page.limit + 1],
  );
  return rows.map(toSeriesView);
}

function toSeriesView(row: SeriesRow): SeriesView {
  const { providerId, providerName, consumerId, consumerName, price, currency, occurrences, ...rest } = row;
  return {
    ...rest,
    price: { amount: price, currency },
    provider: { id: providerId, displayName: providerName },
    consumer: { id: consumerId, displayName: consumerName },
    occurrences: occurrences.map(({ startsAt, endsAt, zone, bookingId, bookingStatus, ...occurrence }) => ({
      ...occurrence,
      slot: { startsAt, endsAt, zone },
      booking: bookingId && bookingStatus ? { id: bookingId, status: bookingStatus } : null,
    })),
    links: {
      self: `/api/v1/series/${row.id}`,
      booking: `/api/v1/bookings/${row.bookingId}`,
      timeline: `/api/v1/series/${row.id}/timeline`,
    },
  };
}
