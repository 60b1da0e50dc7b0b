// The provider's calendar as the rules see it.
import { occupyingStatuses } from '../domain/booking.machine.ts';
import { whyNot, type Calendar, type Interval } from '../domain/availability.ts';
import { DomainError } from '../domain/errors.ts';
import { sql, type Db } from './orm.ts';

const dayMs = 86_400_000;
export const occupying = occupyingStatuses.map((status) => `'${status}'`).join(', ');

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

export const toInterval = ({ start, end }: { start: string; end: string }): Interval => ({ start: Date.parse(start), end: Date.parse(end) });

/** @throws outside_slot_rules when the provider's calendar does not offer the slot of this offer */
export async function assertBookable(tx: Db, offerId: string, slot: { startsAt: string; endsAt: string }, at: string): Promise<void> {
  const [row] = await sql<{ provider_id: string; service_code: string }>(
    tx,
    'select o.provider_id, r.service_code from offer o join request r on r.id = o.request_id where o.id = ?',
    [offerId],
  );
  await checkCalendar(tx, row!.provider_id, row!.service_code, slot, Date.parse(at));
}

/** @throws slot_taken, outside_slot_rules when the slot cannot be booked now */
export async function checkCalendar(
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
