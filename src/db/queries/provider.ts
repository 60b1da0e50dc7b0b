import type { OwnProviderView, ProviderView } from '../../contracts/provider.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Currency } from '../../domain/money.ts';
import { sql, type Db } from '../orm.ts';
import { instantText, pageAfter, type PageInput } from './page.ts';

interface OfferedRow {
  code: string;
  amount: number;
  currency: Currency;
  durationMinutes: number;
  specialisations: string[];
}

interface PublicRow extends Pick<ProviderView, 'id' | 'displayName' | 'bio' | 'zone' | 'portfolio' | 'credentials' | 'distanceKm'> {
  lat: number;
  lon: number;
  radiusKm: number;
  ratingSum: number;
  ratingCount: number;
  services: OfferedRow[];
  createdAt: string;
}

const serviceJson = `'code', s.service_code, 'amount', s.price, 'currency', s.currency, 'durationMinutes', s.duration_minutes, 'specialisations', s.specialisations`;

// These queries do not read contact data or exact positions.
const publicColumns = `p.id, p.display_name as "displayName", p.bio, p.zone, p.portfolio, round(p.lat::numeric, 2)::float as lat, round(p.lon::numeric, 2)::float as lon,
    p.radius_km as "radiusKm", p.rating_sum as "ratingSum", p.rating_count as "ratingCount", ${instantText('p.created_at')} as "createdAt",
    coalesce((select jsonb_agg(jsonb_build_object(${serviceJson}) order by s.service_code) from provider_service s where s.provider_id = p.id and s.active), '[]') as services,
    coalesce((select jsonb_agg(distinct jsonb_build_object('kind', c.kind, 'category', c.category)) from credential c
      where c.provider_id = p.id and c.status in ('verified', 'expiring') and (c.valid_until is null or c.valid_until > now())), '[]') as credentials`;

/** One provider, active or paused. @throws not_found */
export async function providerById(em: Db, id: string): Promise<ProviderView> {
  const [row] = await sql<PublicRow>(
    em,
    `select ${publicColumns}, null as "distanceKm" from provider p where p.id = ? and p.status in ('active', 'paused')`,
    [id],
  );
  if (!row) throw new DomainError('not_found');
  return toProviderView(row);
}

/** Active providers, newest first, or only those of a service. */
export async function listProviders(
  em: Db,
  page: PageInput & { service?: string | undefined },
): Promise<(ProviderView & { createdAt: string })[]> {
  const after = pageAfter(page, 'p');
  const rows = await sql<PublicRow>(
    em,
    `select ${publicColumns}, null as "distanceKm" from provider p
     where p.status = 'active' and (?::text is null or exists (select 1 from provider_service o where o.provider_id = p.id and o.service_code = ? and o.active))
       ${after.where} order by p.created_at desc, p.id desc limit ?`,
    [page.service ?? null, page.service ?? null, ...after.params, page.limit + 1],
  );
  return rows.map((row) => ({ ...toProviderView(row), createdAt: row.createdAt }));
}

/** The most rows that a search by distance looks at. Beyond them people have to narrow their search. */
const deepestRow = 2_000;

/** Active providers of a service who come to a place, nearest first; `after` is `[distance, id]`. */
export async function providersNear(
  em: Db,
  { service, lat, lon, limit, after }: PageInput & { service: string; lat: number; lon: number },
): Promise<(ProviderView & { distance: number })[]> {
  const rows = await sql<PublicRow & { distance: number }>(
    em,
    `select ${publicColumns}, near.distance, round((near.distance / 1000)::numeric, 1)::float as "distanceKm"
     from (select n.provider_id, earth_distance(ll_to_earth(?, ?), n.position) as distance from provider_service n
       where n.service_code = ? and n.active order by n.position <-> ll_to_earth(?, ?)::cube limit ${deepestRow}) near
     join provider p on p.id = near.provider_id
     where p.status = 'active' and near.distance <= p.radius_km * 1000 ${after ? 'and (near.distance, p.id) > (?::float8, ?::uuid)' : ''}
     order by near.distance, p.id limit ?`,
    [lat, lon, service, lat, lon, ...(after ?? []), limit + 1],
  );
  return rows.map((row) => ({ ...toProviderView(row), distance: row.distance }));
}

const ratingOf = ({ ratingSum, ratingCount }: { ratingSum: number; ratingCount: number }) =>
  ratingCount ? Math.round((ratingSum / ratingCount) * 100) / 100 : null;
const offered = ({ amount, currency, ...service }: OfferedRow) => ({ ...service, price: { amount, currency } });

function toProviderView({
  lat,
  lon,
  radiusKm,
  ratingSum,
  ratingCount,
  services,
  id,
  displayName,
  bio,
  zone,
  portfolio,
  credentials,
  distanceKm,
}: PublicRow): ProviderView {
  const self = `/api/v1/providers/${id}`;
  return {
    id,
    displayName,
    bio,
    zone,
    area: { lat, lon, radiusKm },
    rating: ratingOf({ ratingSum, ratingCount }),
    reviews: ratingCount,
    services: services.map(offered),
    credentials,
    portfolio,
    distanceKm,
    links: { self, reviews: `${self}/reviews`, slots: `${self}/slots`, nextSlot: `${self}/slots/next` },
  };
}

type OwnService = OfferedRow & Pick<OwnProviderView['services'][number], 'bufferBeforeMinutes' | 'bufferAfterMinutes' | 'active'>;
interface OwnRow extends Omit<OwnProviderView, 'links' | 'location' | 'rating' | 'reviews' | 'services'> {
  lat: number;
  lon: number;
  ratingSum: number;
  ratingCount: number;
  services: OwnService[];
}

const selectOwn = `
  select p.id, p.status, p.display_name as "displayName", p.bio, p.zone, p.lat, p.lon, p.radius_km as "radiusKm", p.portfolio,
    p.minimum_notice_minutes as "minimumNoticeMinutes", p.horizon_days as "horizonDays", p.daily_cap as "dailyCap", p.capacity,
    p.rating_sum as "ratingSum", p.rating_count as "ratingCount",
    coalesce((select jsonb_agg(jsonb_build_object(${serviceJson}, 'bufferBeforeMinutes', s.buffer_before_minutes, 'bufferAfterMinutes', s.buffer_after_minutes,
      'active', s.active) order by s.service_code) from provider_service s where s.provider_id = p.id), '[]') as services,
    coalesce((select jsonb_agg(jsonb_build_object('weekday', r.weekday, 'startMinute', r.start_minute, 'endMinute', r.end_minute) order by r.weekday, r.start_minute)
      from availability_rule r where r.provider_id = p.id), '[]') as availability,
    coalesce((select jsonb_agg(jsonb_build_object('id', c.id, 'kind', c.kind, 'category', c.category, 'status', c.status, 'reference', c.reference,
      'validUntil', ${instantText('c.valid_until')}) order by c.created_at, c.id) from credential c where c.provider_id = p.id), '[]') as credentials,
    (select coalesce(max(seq), 0)::int from event where stream = 'provider/' || p.id) as seq
  from provider p`;

/** A provider's own profile with everything that the provider can change. @throws not_found when the user is no provider */
export async function ownProvider(em: Db, id: string): Promise<OwnProviderView> {
  const [row] = await sql<OwnRow>(em, `${selectOwn} where p.id = ?`, [id]);
  if (!row) throw new DomainError('not_found', 'You are not a provider yet: apply first.');
  const { lat, lon, ratingSum, ratingCount, services, ...rest } = row;
  return {
    ...rest,
    location: { lat, lon },
    rating: ratingOf({ ratingSum, ratingCount }),
    reviews: ratingCount,
    services: services.map(({ amount, currency, ...service }) => ({ ...service, price: { amount, currency } })),
    links: { self: '/api/v1/providers/me', public: `/api/v1/providers/${id}` },
  };
}
