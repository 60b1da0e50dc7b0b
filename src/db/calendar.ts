// Reads calendars of providers in the shape that src/domain/calendar works with.
import { occupyingStatuses } from '../domain/booking/machine.ts';
import type { Calendar, DatedException, Interval } from '../domain/calendar/availability.ts';
import { dayMs } from '../domain/calendar/local-time.ts';
import { sql, type Db } from './orm.ts';
import { iso } from '../domain/time.ts';

export const occupying = occupyingStatuses.map((status) => `'${status}'`).join(', ');
/**
 * Milliseconds read around a window. A slot lasts a day at most: a slot that starts further away neither overlaps a slot of the
 * window nor shares its day.
 */
const aroundMs = 2 * dayMs;
/** No provider's horizon is longer than 731 days, so no query reads further ahead. Milliseconds. */
export const furthestMs = 731 * dayMs;

/** A calendar for one service of its provider. */
export interface ServiceCalendar extends Calendar {
  durationMinutes: number;
  /** Whether people can ask for the service now. A slot that was agreed before a pause may still be booked. */
  onOffer: boolean;
}

/** Rows as text, `a b c,a b c`. There are many rows, and this text is several times cheaper to make and to read than JSON. */
type Lines = string | null;

interface CalendarRow extends Omit<ServiceCalendar, 'rules' | 'exceptions' | 'busy' | 'booked'> {
  providerId: string;
  rules: Lines;
  exceptions: Lines;
  bookings: Lines;
  /** Busy times from the provider's own calendars. */
  appointments: Lines;
}

const lines = (...columns: string[]) => `string_agg(concat_ws(' ', ${columns.join(', ')}), ',')`;
const isoDate = (date: string) => `to_char(${date}, 'YYYY-MM-DD')`;
const epochMs = (instant: string) => `(date_part('epoch', ${instant}) * 1000)::bigint`;

// An expired hold is not busy, even if its run has not released it yet. A booking that is over takes no seat, but counts for
// the cap of its day.
const selectCalendars = `
  select p.id as "providerId", p.zone, p.minimum_notice_minutes as "minimumNoticeMinutes", p.horizon_days as "horizonDays",
    p.daily_cap as "dailyCap", p.capacity, s.buffer_before_minutes as "bufferBeforeMinutes", s.buffer_after_minutes as "bufferAfterMinutes",
    s.duration_minutes as "durationMinutes", p.status = 'active' and s.active as "onOffer",
    (select ${lines('r.weekday', 'r.start_minute', 'r.end_minute')} from availability_rule r where r.provider_id = p.id) as rules,
    (select ${lines('x.kind', isoDate('x.from_date'), isoDate('x.to_date'), 'x.start_minute', 'x.end_minute')}
      from availability_exception x where x.provider_id = p.id and x.to_date >= w.first::date and x.from_date <= w.last::date) as exceptions,
    (select ${lines(epochMs('lower(b.during)'), epochMs('lower(b.occupied)'), epochMs('upper(b.occupied)'), `case when b.status in (${occupying}) then b.seat end`)}
      from booking b where b.provider_id = p.id and lower(b.during) >= w.first and lower(b.during) < w.last and b.id is distinct from w.moving
        and b.status not in ('released', 'cancelled') and not (b.status = 'held' and b.held_until <= w.now)) as bookings,
    (select ${lines(epochMs('lower(a.during)'), epochMs('upper(a.during)'))}
      from busy_block a where a.provider_id = p.id and a.during && tstzrange(w.first, w.last)) as appointments
  from (values (?::timestamptz, ?::timestamptz, ?::timestamptz, ?::uuid)) as w(first, last, now, moving),
    provider p join provider_service s on s.provider_id = p.id and s.service_code = ?
  where p.id = any(?::uuid[]) and p.status in ('active', 'paused')`;

export interface CalendarWindow {
  /** First start that is asked for; `to` is the last one. Epoch milliseconds. */
  from: number;
  to: number;
  now: number;
  /** The id of a booking that is about to move: its own slot does not block it. */
  except?: string | undefined;
}

/**
 * Calendars of some providers for one service, with every row that decides about slots that start in the window. One statement.
 * @returns calendars by provider id; a provider who does not offer the service has none
 */
export async function loadCalendars(
  em: Db,
  providerIds: readonly string[],
  service: string,
  { from, to, now, except }: CalendarWindow,
): Promise<Map<string, ServiceCalendar>> {
  const within = (at: number) => Math.min(Math.max(at, now), now + furthestMs);
  const instants = [within(from) - aroundMs, within(to) + aroundMs, now].map((at) => iso(at));
  const rows = await sql<CalendarRow>(em, selectCalendars, [...instants, except ?? null, service, `{${providerIds.join(',')}}`], {
    prepared: true,
  });
  return new Map(rows.map((row) => [row.providerId, toCalendar(row)]));
}

function toCalendar({ providerId: _id, rules, exceptions, bookings, appointments, ...calendar }: CalendarRow): ServiceCalendar {
  const booked = read(bookings, (startsAt, start, end, seat) => ({ startsAt: Number(startsAt), ...interval(start, end), seat }));
  return {
    ...calendar,
    rules: read(rules, (weekday, startMinute, endMinute) => ({ weekday: Number(weekday), ...minutes(startMinute, endMinute) })),
    exceptions: read(exceptions, (kind, fromDate, toDate, startMinute, endMinute) => ({
      kind: kind as DatedException['kind'],
      fromDate: fromDate!,
      toDate: toDate!,
      ...(startMinute ? minutes(startMinute, endMinute) : { startMinute: null, endMinute: null }),
    })),
    busy: [
      ...booked.flatMap(({ start, end, seat }) => (seat ? [{ start, end, seat: Number(seat) }] : [])),
      ...read(appointments, (start, end) => ({ ...interval(start, end), seat: null })),
    ],
    booked: booked.map(({ startsAt }) => startsAt),
  };
}

const read = <T>(text: Lines, one: (...columns: (string | undefined)[]) => T): T[] =>
  text ? text.split(',').map((line) => one(...line.split(' '))) : [];
const interval = (start: string | undefined, end: string | undefined): Interval => ({ start: Number(start), end: Number(end) });
const minutes = (start: string | undefined, end: string | undefined) => ({ startMinute: Number(start), endMinute: Number(end) });
