import { randomUUID } from 'node:crypto';
import { DEV_ISSUER } from '../../src/config.ts';
import { sql, type Orm } from '../../src/db/orm.ts';

export interface SeededProvider {
  id: string;
  subject: string;
}

export interface ProviderOptions {
  service?: string;
  price?: number;
  durationMinutes?: number;
  lat?: number;
  lon?: number;
  capacity?: number;
  licensedFor?: string | null;
}

export const city = { place: 'Downtown', lat: 40.7128, lon: -74.006, zone: 'America/New_York' };

/** A provider who is open around the clock, so that a test does not depend on the time of day. */
export async function seedProvider(orm: Orm, options: ProviderOptions = {}): Promise<SeededProvider> {
  const {
    service = 'plumbing.leak',
    price = 15_000,
    durationMinutes = 60,
    lat = city.lat,
    lon = city.lon,
    capacity = 1,
    licensedFor = 'plumbing',
  } = options;
  const em = orm.em.fork();
  const id = randomUUID();
  const subject = `provider-${id}`;
  await sql(em, 'insert into user_account (id, issuer, subject, roles, email) values (?, ?, ?, ?::text[], ?)', [
    id,
    DEV_ISSUER,
    subject,
    '{provider}',
    `${subject}@example.test`,
  ]);
  await sql(em, 'insert into provider (id, display_name, zone, lat, lon, minimum_notice_minutes, capacity) values (?, ?, ?, ?, ?, 0, ?)', [
    id,
    `Provider ${id.slice(0, 4)}`,
    city.zone,
    lat,
    lon,
    capacity,
  ]);
  await sql(
    em,
    `insert into provider_service (provider_id, service_code, price, currency, duration_minutes, position) values (?, ?, ?, 'USD', ?, ll_to_earth(?, ?)::cube)`,
    [id, service, price, durationMinutes, lat, lon],
  );
  await sql(
    em,
    'insert into availability_rule (provider_id, weekday, start_minute, end_minute) select ?, day, 0, 1440 from generate_series(1, 7) as day',
    [id],
  );
  if (licensedFor) {
    await sql(
      em,
      `insert into credential (id, provider_id, kind, category, status, reference) values (?, ?, 'licence', ?, 'verified', 'LIC-1')`,
      [randomUUID(), id, licensedFor],
    );
  }
  return { id, subject };
}

/** A complete structured request for a leak repair within the next hours. */
export function leakRequest(more: object = {}) {
  const from = new Date(Date.now() + 60_000);
  return {
    service: 'plumbing.leak',
    location: { ...city, address: '1 Main Street' },
    when: { from: from.toISOString(), to: new Date(from.getTime() + 4 * 3_600_000).toISOString(), zone: city.zone },
    budget: { amount: 40_000, currency: 'USD' },
    details: { room: 'kitchen' },
    ...more,
  };
}

/** A place that people can name in chat. */
export async function seedPlace(orm: Orm): Promise<void> {
  await sql(orm.em.fork(), 'insert into place (name, region, lat, lon, zone) values (?, ?, ?, ?, ?) on conflict do nothing', [
    city.place,
    'New York',
    city.lat,
    city.lon,
    city.zone,
  ]);
}
