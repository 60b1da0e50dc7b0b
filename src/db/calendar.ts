// The provider's calendar as the rules see it, and the one place that writes a hold.
import type { BookingHeld } from '../domain/booking.types.ts';
import { occupyingStatuses } from '../domain/booking.machine.ts';
import { occupiedBy, whyNot, type Calendar, type Interval } from '../domain/availability.ts';
import { DomainError } from '../domain/errors.ts';
import { sql, type Db } from './orm.ts';
import { rangeOf } from './projections/move.ts';

const dayMs = 86_400_000;
const occupying = occupyingStatuses.map((status) => `'${status}'`).join(', ');

interface CalendarRow extends Omit<Calendar, 'busy'> {
  providerId: string;
  busy: { start: string; end: string }[] | null;
}

// Holds that have run out are no longer busy, even if their run has not released them yet.
const selectCalendars = `
  select p.id as "providerId", p.zone, p.minimum_notice_minutes as "minimumNoticeMinutes", p.horizon_days as "horizonDays",
    p.daily_cap as "dailyCap", p.capacity, s.buffer_before_minutes as "bufferBeforeMinutes", s.buffer_after_minutes as "bufferAfterMinutes",
    coalesce((select jsonb_agg(jsonb_build_object('weekday', r.weekday, 'startMinute', r.start_minute, 'endMinute', r.end_minute))
      from availability_rule r where r.provider_id = p.id), '[]') as rules,
    coalesce((select jsonb_agg(jsonb_build_object('kind', x.kind, 'fromDate', x.from_date, 'toDate', x.to_date, 'startMinute', x.start_minute, 'endMinute', x.end_minute))
      from availability_exception x where x.provider_id = p.id and x.to_date >= ?::date and x.from_date <= ?::date), '[]') as exceptions,
    (select jsonb_agg(jsonb_build_object('start', lower(b.occupied), 'end', upper(b.occupied)))
      from booking b where b.provider_id = p.id and b.status in (${occupying}) and b.occupied && tstzrange(?, ?)
        and not (b.status = 'held' and b.held_until < ?)) as busy
  from provider p join provider_service s on s.provider_id = p.id and s.service_code = ?
  where p.id = any(?::uuid[])`;

/** Calendars of some providers for one service, with what is busy between two instants (and a day around them, for daily caps). */
export async function loadCalendars(
  em: Db,
  providerIds: readonly string[],
  service: string,
  { from, to, now }: { from: number; to: number; now: number },
): Promise<Map<string, Calendar>> {
  const [first, last] = [new Date(from - 2 * dayMs).toISOString(), new Date(to + 2 * dayMs).toISOString()];
  const rows = await sql<CalendarRow>(em, selectCalendars, [
    first,
    last,
    first,
    last,
    new Date(now).toISOString(),
    service,
    `{${providerIds.join(',')}}`,
  ]);
  return new Map(rows.map(({ providerId, busy, ...calendar }) => [providerId, { ...calendar, busy: (busy ?? []).map(toInterval) }]));
}

const toInterval = ({ start, end }: { start: string; end: string }): Interval => ({ start: Date.parse(start), end: Date.parse(end) });

/** @throws outside_slot_rules when the provider's calendar does not offer the slot of this offer */
export async function assertBookable(tx: Db, offerId: string, slot: { startsAt: string; endsAt: string }, at: string): Promise<void> {
  const [row] = await sql<{ provider_id: string; service_code: string }>(
    tx,
    'select o.provider_id, r.service_code from offer o join request r on r.id = o.request_id where o.id = ?',
    [offerId],
  );
  await checkCalendar(tx, row!.provider_id, row!.service_code, slot, Date.parse(at));
}

async function checkCalendar(
  tx: Db,
  providerId: string,
  service: string,
  slot: { startsAt: string; endsAt: string },
  now: number,
): Promise<Calendar> {
  const interval = toInterval({ start: slot.startsAt, end: slot.endsAt });
  const calendar = (await loadCalendars(tx, [providerId], service, { from: interval.start, to: interval.end, now })).get(providerId);
  if (!calendar) throw new DomainError('outside_slot_rules', 'The provider no longer offers this service.');
  const reason = whyNot(calendar, interval, now, false);
  if (reason === 'busy') throw new DomainError('slot_taken');
  if (reason) throw new DomainError('outside_slot_rules', undefined, { status: reason });
  return calendar;
}

/**
 * Reserves the slot of an acceptance. The provider's row is locked first, so racers queue instead of colliding, and the
 * exclusion constraint has the last word.
 * @throws slot_taken when somebody else was faster
 */
export async function holdSlot(tx: Db, event: BookingHeld & { at: string }): Promise<void> {
  const { bookingId, requestId, offerId, consumerId, providerId, service, startsAt, endsAt, zone, price, currency, policy, heldUntil, at } =
    event;
  await sql(tx, 'select 1 from provider where id = ? for no key update', [providerId]);
  const calendar = await checkCalendar(tx, providerId, service, { startsAt, endsAt }, Date.parse(at));
  const occupied = occupiedBy(calendar, toInterval({ start: startsAt, end: endsAt }));
  const occupiedRange = rangeOf(new Date(occupied.start).toISOString(), new Date(occupied.end).toISOString());
  const held = await sql(
    tx,
    `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, during, occupied, seat, zone, price, currency, policy, held_until, created_at)
     select ?, ?, ?, ?, ?, ?, ?::tstzrange, ?::tstzrange, seat, ?, ?, ?, ?::jsonb, ?, ?
     from generate_series(0, ?::int - 1) as seat
     where not exists (select 1 from booking b where b.provider_id = ? and b.seat = seat.seat and b.status in (${occupying}) and b.occupied && ?::tstzrange)
     order by seat limit 1
     on conflict do nothing returning id`,
    [
      bookingId,
      requestId,
      offerId,
      consumerId,
      providerId,
      service,
      rangeOf(startsAt, endsAt),
      occupiedRange,
      zone,
      price,
      currency,
      JSON.stringify(policy),
      heldUntil,
      at,
      calendar.capacity,
      providerId,
      occupiedRange,
    ],
  );
  if (held.length === 0) throw new DomainError('slot_taken');
}
