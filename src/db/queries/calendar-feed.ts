import type { BookingStatus } from '../../domain/booking/machine.ts';
import { sql, type Db } from '../orm.ts';
import { instantText } from './page.ts';
import { factsThatCount } from './draft.ts';

export interface FeedBooking {
  id: string;
  /** Name of the service in the catalogue. */
  service: string;
  status: BookingStatus;
  startsAt: string;
  endsAt: string;
  createdAt: string;
  /** Position of the booking's last event; `changedAt` is its time. */
  seq: number;
  changedAt: string;
  /** Where the job takes place; null before `confirmed`. */
  address: string | null;
}

/** Statuses that a calendar shows, also when the booking is over. */
const shown = ['held', 'confirmed', 'in_progress', 'completed', 'disputed', 'settled'] as const satisfies BookingStatus[];
const pastDays = 30;
const futureDays = 732;
const maxBookings = 2_000;

/** A provider's bookings of the last month and all later ones, earliest first. Expired holds are left out. */
export async function feedBookings(em: Db, providerId: string): Promise<FeedBooking[]> {
  return sql<FeedBooking>(
    em,
    `select b.id, coalesce(s.name, b.service_code) as service, b.status, ${instantText('lower(b.during)')} as "startsAt", ${instantText('upper(b.during)')} as "endsAt",
       ${instantText('b.created_at')} as "createdAt", coalesce(last.seq, 1) as seq, coalesce(${instantText('last.at')}, ${instantText('b.created_at')}) as "changedAt",
       case when b.status <> 'held' then (select f.value ->> 'address' from request r
         join fact f on ${factsThatCount} and f.key = 'location' where r.id = b.request_id) end as address
     from booking b left join lateral (select seq, at from event e where e.stream = 'booking/' || b.id order by seq desc limit 1) last on true
       left join (select service ->> 'code' as code, service ->> 'name' as name
         from jsonb_array_elements((select content -> 'categories' from catalogue_version order by version desc limit 1)) as category,
           jsonb_array_elements(category -> 'services') as service) s on s.code = b.service_code
     where b.provider_id = ? and b.status in (${shown.map((status) => `'${status}'`).join(', ')})
       and lower(b.during) >= now() - interval '${pastDays} days' and lower(b.during) < now() + interval '${futureDays} days'
       and not (b.status = 'held' and b.held_until <= now())
     order by lower(b.during), b.id limit ${maxBookings}`,
    [providerId],
  );
}

/**
 * The provider whose feed a token opens; undefined when the token was revoked, the provider is closed, or their account is not
 * active.
 */
export async function feedOwner(em: Db, tokenHash: string): Promise<string | undefined> {
  const [row] = await sql<{ id: string }>(
    em,
    `select p.id from calendar_feed f join provider p on p.id = f.provider_id join user_account u on u.id = p.id
     where f.token_hash = ? and u.status = 'active' and p.status <> 'closed'`,
    [tokenHash],
  );
  return row?.id;
}

/** When a provider's feed got its address. */
export async function feedSince(em: Db, providerId: string): Promise<string | undefined> {
  const [row] = await sql<{ createdAt: string }>(
    em,
    `select ${instantText('created_at')} as "createdAt" from calendar_feed where provider_id = ?`,
    [providerId],
  );
  return row?.createdAt;
}

/** Makes this token the only one that opens the feed. */
export async function openFeed(tx: Db, providerId: string, tokenHash: string): Promise<void> {
  await sql(
    tx,
    `insert into calendar_feed (provider_id, token_hash) values (?, ?)
     on conflict (provider_id) do update set token_hash = excluded.token_hash, created_at = now()`,
    [providerId, tokenHash],
  );
}

/** @returns whether the feed existed */
export async function closeFeed(tx: Db, providerId: string): Promise<boolean> {
  return (await sql(tx, 'delete from calendar_feed where provider_id = ? returning 1', [providerId])).length > 0;
}
