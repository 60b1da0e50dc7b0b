// Checks whether a provider's calendar offers a slot now. A refusal gives the reason and names free slots near it.
import { nearestSlots, whyNot, type Calendar, type Interval, type NotBookable } from '../../domain/calendar/availability.ts';
import { dayMs } from '../../domain/calendar/local-time.ts';
import { DomainError } from '../../domain/errors.ts';
import { iso } from '../../domain/time.ts';
import { loadCalendars } from '../calendar.ts';
import { sql, type Db } from '../orm.ts';

interface Times {
  startsAt: string;
  endsAt: string;
}

export const intervalOf = ({ startsAt, endsAt }: Times): Interval => ({ start: Date.parse(startsAt), end: Date.parse(endsAt) });

/**
 * Checks the slot of an offer.
 * @param agreed the provider has named the slot themselves, or agreed to it
 * @throws slot_taken, outside_slot_rules when the provider's calendar does not offer the slot
 */
export async function assertBookable(tx: Db, offerId: string, slot: Times, at: string, agreed: boolean): Promise<void> {
  const [row] = await sql<{ provider_id: string; service_code: string }>(
    tx,
    'select o.provider_id, r.service_code from offer o join request r on r.id = o.request_id where o.id = ?',
    [offerId],
  );
  await checkCalendar(tx, row!.provider_id, row!.service_code, slot, Date.parse(at), { agreed });
}

/**
 * Checks a booking's new slot. The booking's current slot does not count as busy.
 * @param agreed the provider has named the slot themselves
 * @throws slot_taken, outside_slot_rules
 */
export async function assertFree(tx: Db, bookingId: string, slot: Times, at: string, agreed: boolean): Promise<void> {
  const [row] = await sql<{ provider_id: string; service_code: string }>(tx, 'select provider_id, service_code from booking where id = ?', [
    bookingId,
  ]);
  await checkCalendar(tx, row!.provider_id, row!.service_code, slot, Date.parse(at), { except: bookingId, agreed });
}

/**
 * Checks one slot against the provider's calendar.
 * @param options.except id of a booking that is about to move
 * @param options.agreed the provider has agreed to the slot, so the minimum notice no longer counts
 * @returns the calendar that offers the slot
 * @throws slot_taken, outside_slot_rules when the slot cannot be booked now
 */
export async function checkCalendar(
  tx: Db,
  providerId: string,
  service: string,
  slot: Times,
  now: number,
  { except, agreed = true }: { except?: string | undefined; agreed?: boolean } = {},
): Promise<Calendar> {
  const interval = intervalOf(slot);
  const { start, end } = interval;
  // No schema checks a Signal or an Update that somebody sends by hand.
  if (!(start < end)) throw new DomainError('outside_slot_rules', undefined, { status: 'length' });
  const calendars = await loadCalendars(tx, [providerId], service, { from: start - dayMs, to: end + dayMs, now, except });
  const calendar = calendars.get(providerId);
  if (!calendar) throw new DomainError('outside_slot_rules', 'The provider no longer offers this service.');
  const reason = whyNot(calendar, interval, now, { agreed });
  if (reason) throw refusal(reason, calendar, interval, now);
  return calendar;
}

function refusal(reason: NotBookable, calendar: Calendar, interval: Interval, now: number): DomainError {
  const alternatives = nearestSlots(calendar, interval, now).map(({ start, end }) => ({ startsAt: iso(start), endsAt: iso(end) }));
  if (reason === 'busy') return new DomainError('slot_taken', undefined, { alternatives });
  // A day beyond the horizon can be booked later, so the refusal says when.
  const retryAfterS = Math.ceil((interval.start - now - calendar.horizonDays * dayMs) / 1000);
  return new DomainError('outside_slot_rules', undefined, {
    status: reason,
    alternatives,
    ...(reason === 'beyond_horizon' && { retryAfterS }),
  });
}
