// Rows that a provider changes themselves. The event in the same transaction names the changed fields (src/db/change.ts).
import type { EditProvider, PutService } from '../contracts/provider.ts';
import type { OfferedService } from '../domain/enrollment/application.ts';
import type { DatedException, Interval, WeeklyRule } from '../domain/calendar/availability.ts';
import { occupying } from './calendar.ts';
import { sql, type Db } from './orm.ts';
import { offerServices } from './projections/enrollment.ts';
import { iso } from '../domain/time.ts';

/** Column names by the field names that clients use. */
const columns = {
  displayName: 'display_name',
  bio: 'bio',
  zone: 'zone',
  radiusKm: 'radius_km',
  minimumNoticeMinutes: 'minimum_notice_minutes',
  horizonDays: 'horizon_days',
  dailyCap: 'daily_cap',
  capacity: 'capacity',
  portfolio: 'portfolio',
} as const satisfies Partial<Record<keyof EditProvider, string>>;

const changeable = [...Object.values(columns), 'lat', 'lon'].join(', ');

/** Changes the given fields of a provider. A new position is copied to every service, because matching reads it there. */
export async function changeProvider(tx: Db, id: string, { location, ...edit }: Omit<EditProvider, 'status'>): Promise<void> {
  const keys = (Object.keys(columns) as (keyof typeof columns)[]).filter((key) => edit[key] !== undefined);
  const changes = {
    ...Object.fromEntries(keys.map((key) => [columns[key], edit[key]])),
    ...(location && { lat: location.lat, lon: location.lon }),
  };
  if (Object.keys(changes).length === 0) return;
  // Columns that the JSON does not contain keep their value.
  await sql(
    tx,
    `update provider p set (${changeable}) = (select ${changeable} from jsonb_populate_record(p, ?::jsonb) as changed) where id = ?`,
    [JSON.stringify(changes), id],
  );
  if (location)
    await sql(tx, 'update provider_service set position = ll_to_earth(?, ?)::cube where provider_id = ?', [location.lat, location.lon, id]);
}

export async function putService(
  tx: Db,
  id: string,
  service: OfferedService & Pick<PutService, 'bufferBeforeMinutes' | 'bufferAfterMinutes' | 'active'>,
): Promise<void> {
  const { bufferBeforeMinutes, bufferAfterMinutes, active, ...offered } = service;
  await offerServices(tx, id, [offered]);
  await sql(
    tx,
    'update provider_service set buffer_before_minutes = ?, buffer_after_minutes = ?, active = ? where provider_id = ? and service_code = ?',
    [bufferBeforeMinutes, bufferAfterMinutes, active, id, service.code],
  );
}

export interface LockedProvider {
  status: string;
  photos: number;
  zone: string;
}

/**
 * Locks a provider's row. Two changes of one calendar then happen one after the other, and holds wait for both. @returns
 * undefined for an unknown provider
 */
export async function lockProvider(tx: Db, id: string): Promise<LockedProvider | undefined> {
  const [row] = await sql<LockedProvider>(
    tx,
    'select status, jsonb_array_length(portfolio) as photos, zone from provider where id = ? for no key update',
    [id],
  );
  return row;
}

/** The weekly hours, and the dated exceptions that are not over on a date, except the one with id `except`. */
export async function hoursAround(
  tx: Db,
  id: string,
  today: string,
  exceptId: string,
): Promise<{ rules: WeeklyRule[]; others: DatedException[] }> {
  const [row] = await sql<{ rules: WeeklyRule[]; others: DatedException[] }>(
    tx,
    `select coalesce((select jsonb_agg(jsonb_build_object('weekday', r.weekday, 'startMinute', r.start_minute, 'endMinute', r.end_minute))
         from availability_rule r where r.provider_id = p.id), '[]') as rules,
       coalesce((select jsonb_agg(jsonb_build_object('kind', x.kind, 'fromDate', x.from_date, 'toDate', x.to_date, 'startMinute', x.start_minute, 'endMinute', x.end_minute))
         from availability_exception x where x.provider_id = p.id and x.to_date >= ?::date and x.id <> ?::uuid), '[]') as others
     from provider p where p.id = ?`,
    [today, exceptId, id],
  );
  return row!;
}

/** Writes an exception, or changes the one with this id. */
export async function putException(
  tx: Db,
  providerId: string,
  id: string,
  { kind, fromDate, toDate, startMinute, endMinute, reason }: DatedException & { reason: string | null },
): Promise<void> {
  await sql(
    tx,
    `insert into availability_exception (id, provider_id, kind, from_date, to_date, start_minute, end_minute, reason) values (?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (id) do update set kind = excluded.kind, from_date = excluded.from_date, to_date = excluded.to_date,
       start_minute = excluded.start_minute, end_minute = excluded.end_minute, reason = excluded.reason`,
    [id, providerId, kind, fromDate, toDate, startMinute, endMinute, reason],
  );
}

/** @returns whether the exception existed */
export async function removeException(tx: Db, providerId: string, id: string): Promise<boolean> {
  const rows = await sql(tx, 'delete from availability_exception where id = ? and provider_id = ? returning id', [id, providerId]);
  return rows.length === 1;
}

/** Ids of bookings that take place in an interval (epoch milliseconds), earliest first, at most 100. */
export async function bookingsWithin(em: Db, providerId: string, { start, end }: Interval): Promise<string[]> {
  const rows = await sql<{ id: string }>(
    em,
    `select id from booking where provider_id = ? and status in (${occupying}) and lower(during) < ? and upper(during) > ? order by lower(during) limit 100`,
    [providerId, iso(end), iso(start)],
  );
  return rows.map(({ id }) => id);
}

/** Whether a licence for a category is verified and valid now. */
export async function hasLicence(tx: Db, id: string, category: string): Promise<boolean> {
  const rows = await sql(
    tx,
    `select 1 from credential where provider_id = ? and kind = 'licence' and category = ? and status in ('verified', 'expiring')
     and (valid_until is null or valid_until > now()) limit 1`,
    [id, category],
  );
  return rows.length > 0;
}
