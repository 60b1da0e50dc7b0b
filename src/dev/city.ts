import { DEV_ISSUER } from '../config.ts';
import { idFrom } from '../contracts/ids.ts';
import { sql, type Db, type Orm } from '../db/orm.ts';
import { inTransaction } from '../db/transaction.ts';
import { seedCatalogue } from '../domain/intake/catalogue-seed.ts';
import { cityPlaces, cityZone } from './city.places.ts';
import { cityProviders, type CityProvider } from './city.providers.ts';
import { people } from './people.ts';

/**
 * Gives an empty database a city: places to name in chat, users for the demo tokens, and providers for every service. Existing
 * rows stay unchanged, so a start never undoes changes of a user.
 */
export async function seedCity(orm: Orm): Promise<void> {
  const providers = cityProviders(seedCatalogue);
  await inTransaction(orm, async (tx) => {
    const places = cityPlaces.map((place) => ({ ...place, zone: cityZone }));
    await sql(
      tx,
      `insert into place (name, aliases, region, lat, lon, zone)
       select name, aliases, region, lat, lon, zone from jsonb_to_recordset(?::jsonb) as p(name text, aliases text[], region text, lat float8, lon float8, zone text)
       on conflict do nothing`,
      [JSON.stringify(places)],
    );
    const { consumer, operator } = people;
    await seedUsers(tx, [
      { ...consumer, displayName: 'Dana Demo' },
      { ...operator, displayName: 'Olive Operator' },
      ...providers.map(({ subject, displayName }) => ({ subject, displayName, roles: ['provider'] })),
    ]);
    await seedProviders(tx, providers);
  });
}

/** A token may have been used before the city was seeded. Its user keeps the id from that time. */
async function seedUsers(tx: Db, users: readonly { subject: string; displayName: string; roles: readonly string[] }[]): Promise<void> {
  const rows = users.map(({ subject, ...user }) => ({
    ...user,
    subject,
    id: idFrom('demo-city', subject),
    email: `${subject}@demo.invalid`,
  }));
  await sql(
    tx,
    `insert into user_account (id, issuer, subject, email, display_name, roles, zone)
     select id, ?, subject, email, "displayName", roles, ? from jsonb_to_recordset(?::jsonb) as u(id uuid, subject text, email text, "displayName" text, roles text[])
     on conflict (issuer, subject) do update set display_name = coalesce(user_account.display_name, excluded.display_name), roles = excluded.roles`,
    [DEV_ISSUER, cityZone, JSON.stringify(rows)],
  );
}

/** Adds only the providers that do not exist yet, with all their rows. */
async function seedProviders(tx: Db, providers: readonly CityProvider[]): Promise<void> {
  await sql(
    tx,
    `with city as (
       select u.id, p.* from jsonb_to_recordset(?::jsonb) as p(subject text, "displayName" text, bio text, lat float8, lon float8, "radiusKm" float8,
         "minimumNoticeMinutes" int, "ratingSum" int, "ratingCount" int, services jsonb, openings jsonb, licences text[])
       join user_account u on u.issuer = ? and u.subject = p.subject),
     fresh as (
       insert into provider (id, display_name, bio, zone, lat, lon, radius_km, minimum_notice_minutes, rating_sum, rating_count)
       select id, "displayName", bio, ?, lat, lon, "radiusKm", "minimumNoticeMinutes", "ratingSum", "ratingCount" from city
       on conflict do nothing returning id),
     services as (
       insert into provider_service (provider_id, service_code, price, currency, duration_minutes, position)
       select c.id, s.code, s.price, s.currency, s."durationMinutes", ll_to_earth(c.lat, c.lon)::cube from city c join fresh using (id),
         jsonb_to_recordset(c.services) as s(code text, price int, currency text, "durationMinutes" int)),
     openings as (
       insert into availability_rule (provider_id, weekday, start_minute, end_minute)
       select c.id, o.weekday, o."startMinute", o."endMinute" from city c join fresh using (id),
         jsonb_to_recordset(c.openings) as o(weekday int, "startMinute" int, "endMinute" int))
     insert into credential (id, provider_id, kind, category, status, reference, valid_until)
     select gen_random_uuid(), c.id, 'licence', category, 'verified', 'DEMO-' || c.subject, now() + interval '2 years'
     from city c join fresh using (id), unnest(c.licences) as category`,
    [JSON.stringify(providers), DEV_ISSUER, cityZone],
  );
}
