// What a provider changes in their own rows; events beside it say which fields (db/own-stream.ts).
import type { EditProvider, PutService } from '../contracts/provider.ts';
import type { OfferedService } from '../domain/application.ts';
import { sql, type Db } from './orm.ts';
import { offerServices } from './projections/enrollment.ts';

const columns = {
  displayName: 'display_name',
  bio: 'bio',
  zone: 'zone',
  radiusKm: 'radius_km',
  minimumNoticeMinutes: 'minimum_notice_minutes',
  horizonDays: 'horizon_days',
  dailyCap: 'daily_cap',
  capacity: 'capacity',
} as const satisfies Partial<Record<keyof EditProvider, string>>;

/** Changes what is given. A new position moves every service with it, since matching looks there. */
export async function changeProvider(tx: Db, id: string, { location, portfolio, ...edit }: Omit<EditProvider, 'status'>): Promise<void> {
  const changes: [column: string, value: unknown][] = (Object.keys(columns) as (keyof typeof columns)[])
    .filter((key) => edit[key] !== undefined)
    .map((key) => [`${columns[key]} = ?`, edit[key]]);
  if (location) changes.push(['lat = ?', location.lat], ['lon = ?', location.lon]);
  if (portfolio) changes.push(['portfolio = ?::jsonb', JSON.stringify(portfolio)]);
  if (changes.length)
    await sql(tx, `update provider set ${changes.map(([column]) => column).join(', ')} where id = ?`, [
      ...changes.map(([, value]) => value),
      id,
    ]);
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

/** Locks a provider's row, so that two changes of one calendar come one after the other, and holds wait for both. */
export async function lockProvider(tx: Db, id: string): Promise<{ status: string; photos: number } | undefined> {
  const [row] = await sql<{ status: string; photos: number }>(
    tx,
    'select status, jsonb_array_length(portfolio) as photos from provider where id = ? for no key update',
    [id],
  );
  return row;
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
