import { checkOf, type ApplicationDetails } from '../../domain/enrollment/application.ts';
import { notLapsed } from '../../domain/enrollment/decide.ts';
import { enrollmentMachine } from '../../domain/enrollment/machine.ts';
import type { CheckResult, EnrollmentEvent } from '../../domain/enrollment/types.ts';
import { DomainError } from '../../domain/errors.ts';
import { Enrollment } from '../entities/enrollment.ts';
import { sql, type Db } from '../orm.ts';
import { revisionDetails } from '../queries/enrollment.ts';
import { move, nothing, type Projectors } from './move.ts';

/** `id` is the enrollment's id, taken from its stream. */
export const enrollmentProjectors = {
  'enrollment.opened': (tx, { enrollmentId, applicantId, at }) =>
    sql(tx, `insert into enrollment (id, applicant_id, details, created_at) values (?, ?, '{}', ?)`, [enrollmentId, applicantId, at]),
  // The staged version becomes the one that counts, as a whole. The event carries only its id, not its contents.
  'enrollment.updated': async (tx, { id, revisionId }) => {
    const updated = await sql(
      tx,
      `with merged as (
         update enrollment e set details = e.details || r.details from enrollment_revision r
         where e.id = ? and r.id = ? and r.enrollment_id = e.id returning r.id, e.details)
       update enrollment_revision r set details = merged.details from merged where r.id = merged.id returning r.id`,
      [id, revisionId],
    );
    if (updated.length === 0) throw new DomainError('not_found', 'This version of the application was never stored.');
  },
  'enrollment.submitted': (tx, { id }) => move(tx, Enrollment, enrollmentMachine, id, 'submit', { statusReason: null }),
  'enrollment.checking': (tx, { id, checks }) =>
    move(tx, Enrollment, enrollmentMachine, id, 'check', { checks: checks.map((check) => ({ check, outcome: 'pending' })) }),
  'enrollment.checked': (tx, { id, results }) => mergeChecks(tx, id, results),
  'enrollment.escalated': nothing,
  'enrollment.in_review': (tx, { id }) => move(tx, Enrollment, enrollmentMachine, id, 'review'),
  'enrollment.changes_requested': (tx, { id, reason = null }) =>
    move(tx, Enrollment, enrollmentMachine, id, 'requestChanges', { statusReason: reason }),
  'enrollment.approved': async (tx, { id, revisionId, applicantId, reason = null, at }) => {
    await move(tx, Enrollment, enrollmentMachine, id, 'approve', { statusReason: reason, decidedAt: new Date(at) });
    await becomeProvider(tx, id, revisionId, applicantId, at);
  },
  'enrollment.rejected': (tx, event) => decided(tx, event, 'reject'),
  'enrollment.withdrawn': (tx, event) => decided(tx, event, 'withdraw'),
  'enrollment.expired': (tx, event) => decided(tx, event, 'expire'),
  'enrollment.reminded': nothing,
} satisfies Projectors<EnrollmentEvent & { id: string }>;

function decided(
  tx: Db,
  { id, reason = null, at }: { id: string; reason?: string | null; at: string },
  step: 'reject' | 'withdraw' | 'expire',
) {
  return move(tx, Enrollment, enrollmentMachine, id, step, { statusReason: reason, decidedAt: new Date(at) });
}

function mergeChecks(tx: Db, id: string, results: CheckResult[]) {
  return sql(
    tx,
    `update enrollment e set checks = (
       select coalesce(jsonb_agg(coalesce(news.value, old.value) order by old.place), '[]')
       from jsonb_array_elements(e.checks) with ordinality as old(value, place)
       left join jsonb_array_elements(?::jsonb) as news(value) on news.value ->> 'check' = old.value ->> 'check')
     where id = ?`,
    [JSON.stringify(results), id],
  );
}

/**
 * Turns an applicant into a provider: profile, services (with position, for matching), weekly hours, credentials, role. An
 * applicant who is a provider already gets what the application names and keeps everything else.
 */
async function becomeProvider(tx: Db, enrollmentId: string, revisionId: string, userId: string, at: string): Promise<void> {
  const details = await revisionDetails(tx, enrollmentId, revisionId);
  if (!details) throw new DomainError('row_disagrees', 'The approved version is gone.');
  const { bio = '', portfolio = [] } = details;
  // `submit` refuses an application without these fields.
  const { displayName, zone, location, radiusKm } = details as Required<ApplicationDetails>;
  const credentials = (details.credentials ?? []).map((credential) => ({ ...credential, check: checkOf(credential) }));
  notLapsed(
    credentials.map(({ check, validUntil = null }) => ({ check, validUntil })),
    Date.parse(at),
  );
  await sql(
    tx,
    `insert into provider (id, display_name, bio, zone, lat, lon, radius_km, portfolio, created_at) values (?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?)
     on conflict (id) do update set display_name = excluded.display_name, bio = excluded.bio, zone = excluded.zone, lat = excluded.lat,
       lon = excluded.lon, radius_km = excluded.radius_km, portfolio = excluded.portfolio`,
    [userId, displayName, bio, zone, location.lat, location.lon, radiusKm, JSON.stringify(portfolio), at],
  );
  await offerServices(tx, userId, details.services ?? []);
  await replaceOpenings(tx, userId, details.availability ?? []);
  await sql(
    tx,
    `insert into credential (id, provider_id, kind, category, status, reference, valid_until, created_at)
     select gen_random_uuid(), ?, kind, category, 'verified', reference, "validUntil", ?
     from jsonb_to_recordset(?::jsonb) as c(kind text, category text, reference text, "validUntil" timestamptz)`,
    [userId, at, JSON.stringify(credentials)],
  );
  await sql(tx, `update user_account set roles = array_append(roles, 'provider') where id = ? and not 'provider' = any(roles)`, [userId]);
}

/** Adds or changes services. Each row carries the provider's position, so that one index serves matching. */
export async function offerServices(tx: Db, providerId: string, services: NonNullable<ApplicationDetails['services']>): Promise<void> {
  const rows = services.map(({ price, ...service }) => ({
    specialisations: [],
    ...service,
    amount: price.amount,
    currency: price.currency,
  }));
  await sql(
    tx,
    `insert into provider_service (provider_id, service_code, price, currency, duration_minutes, specialisations, position)
     select p.id, s.code, s.amount, s.currency, s."durationMinutes", s.specialisations, ll_to_earth(p.lat, p.lon)::cube
     from provider p, jsonb_to_recordset(?::jsonb) as s(code text, amount int, currency text, "durationMinutes" int, specialisations text[])
     where p.id = ?
     on conflict (provider_id, service_code) do update set price = excluded.price, currency = excluded.currency,
       duration_minutes = excluded.duration_minutes, specialisations = excluded.specialisations, position = excluded.position, active = true`,
    [JSON.stringify(rows), providerId],
  );
}

/** Replaces all weekly hours of a provider. */
export async function replaceOpenings(
  tx: Db,
  providerId: string,
  openings: NonNullable<ApplicationDetails['availability']>,
): Promise<void> {
  await sql(tx, 'delete from availability_rule where provider_id = ?', [providerId]);
  await sql(
    tx,
    `insert into availability_rule (provider_id, weekday, start_minute, end_minute)
     select ?, weekday, "startMinute", "endMinute" from jsonb_to_recordset(?::jsonb) as r(weekday int, "startMinute" int, "endMinute" int)`,
    [providerId, JSON.stringify(openings)],
  );
}
