import type { CandidateRow, Scored } from '../../domain/request/matching.ts';
import { sql, type Db } from '../orm.ts';

/** Rows that are taken from the index before the exact gates. Enough rows stay for a full round when the gates refuse some. */
const overFetch = 60;

export interface MatchingJob {
  service: string;
  category: string;
  needsLicence: boolean;
  lat: number;
  lon: number;
  /** End of the window in which the job may start: credentials must be valid then. */
  to: string;
  radiusKm: number;
  excluded: readonly string[];
}

/** The nearest providers of a service, with the data of the gates, in one statement: KNN on (service, position), then exact joins. */
export async function nearestProviders(em: Db, job: MatchingJob): Promise<CandidateRow[]> {
  return sql<CandidateRow>(
    em,
    `select p.id as "providerId", earth_distance(ll_to_earth(?, ?), near.position) / 1000 as "distanceKm", least(p.radius_km, ?) as "radiusKm",
       near.price, near.duration_minutes as "durationMinutes", p.rating_sum as "ratingSum", p.rating_count as "ratingCount",
       (not ?::boolean or exists (
         select 1 from credential c where c.provider_id = p.id and c.kind = 'licence' and c.category = ?
           and c.status in ('verified', 'expiring') and (c.valid_until is null or c.valid_until > ?::timestamptz))) as "credentialValid",
       (select count(*)::int from offer o where o.provider_id = p.id and o.status = 'invited') as "openInvitations",
       p.id = any(?::uuid[]) as excluded
     from (
       select provider_id, price, duration_minutes, position from provider_service
       where service_code = ? and active
       order by position <-> ll_to_earth(?, ?)::cube limit ${overFetch}
     ) near join provider p on p.id = near.provider_id
     where p.status = 'active'`,
    [job.lat, job.lon, job.radiusKm, job.needsLicence, job.category, job.to, `{${job.excluded.join(',')}}`, job.service, job.lat, job.lon],
  );
}

/** Stores why each provider was or was not asked. A repeated run of the same round changes nothing. */
export async function storeCandidates(
  em: Db,
  requestId: string,
  round: number,
  scored: (Scored & { distanceKm: number })[],
): Promise<void> {
  if (scored.length === 0) return;
  await sql(
    em,
    `insert into candidate (request_id, round, provider_id, gates, score, contributions, distance_km)
     select ?, ?, "providerId", gates, score, contributions, "distanceKm"
     from jsonb_to_recordset(?::jsonb) as c("providerId" uuid, gates text[], score real, contributions jsonb, "distanceKm" real)
     on conflict do nothing`,
    [requestId, round, JSON.stringify(scored)],
  );
}
