import { z } from 'zod';
import { NextSlot, NextSlotQuery, SlotList, SlotQuery, type FreeSlot } from '../../contracts/calendar.ts';
import { furthestMs, loadCalendars, type ServiceCalendar } from '../../db/calendar.ts';
import { dayNumber, listSlots, type Interval } from '../../domain/calendar/availability.ts';
import { DomainError, invalid } from '../../domain/errors.ts';
import { clockOf, dayMs, formatLocal } from '../../domain/calendar/local-time.ts';
import type { Api } from '../http/deps.ts';
import { route } from '../http/route.ts';
import { iso } from '../../domain/time.ts';

const providerId = z.strictObject({ providerId: z.uuid() });
const maxDays = 31;
const defaultDays = 7;

/** Free slots of providers; everybody may ask for them. */
export function slotRoutes(api: Api): void {
  route(
    api,
    {
      method: 'get',
      path: '/providers/:providerId/slots',
      summary: 'When a provider can be booked',
      description: `Every listed slot can be booked, and no other slot can: bookings are checked by the same rules. At most ${maxDays} days at once.`,
      auth: 'public',
      params: providerId,
      query: SlotQuery,
      response: SlotList,
      errors: ['not_found'],
    },
    async ({ params, query: { limit, cursor, ...query } }) => {
      const now = Date.now();
      const scope = JSON.stringify(['slots', params.providerId, query]);
      // A page continues where the previous page ended, also when time has passed since.
      const rest = api.cursors.open(scope, cursor) as readonly [number, number] | undefined;
      const calendar = await calendarOf(params.providerId, query.service, roughly(query.from ?? now, query.to), now);
      const { zone = calendar.zone, durationMinutes = calendar.durationMinutes } = query;
      const [from, to] = rest ?? windowOf(query, zone, now);
      const found = listSlots(calendar, { from, to, durationMinutes, now })
        .take(limit + 1)
        .toArray();
      const next = found[limit];
      return {
        items: inZone(found.slice(0, limit), zone),
        zone,
        providerZone: calendar.zone,
        nextCursor: next ? api.cursors.seal(scope, [next.start, to]) : null,
      };
    },
  );

  route(
    api,
    {
      method: 'get',
      path: '/providers/:providerId/slots/next',
      summary: 'The next slot in which a provider can be booked',
      auth: 'public',
      params: providerId,
      query: NextSlotQuery,
      response: NextSlot,
      errors: ['not_found'],
    },
    async ({ params, query }) => {
      const now = Date.now();
      const calendar = await calendarOf(params.providerId, query.service, roughly(query.after ?? now, now + furthestMs), now);
      const { zone = calendar.zone, durationMinutes = calendar.durationMinutes } = query;
      const horizon = now + calendar.horizonDays * dayMs;
      const from = query.after === undefined ? now : edgeOf(query.after, zone, now, 'start');
      const slots = listSlots(calendar, { from, to: horizon + 1, durationMinutes, now })
        .take(1)
        .toArray();
      return {
        slot: inZone(slots, zone)[0] ?? null,
        zone,
        providerZone: calendar.zone,
        searchedUntil: iso(horizon),
      };
    },
  );

  /** The calendar of one provider and service. @throws not_found for a service that nobody can book with this provider now */
  async function calendarOf(id: string, service: string, window: { from: number; to: number }, now: number): Promise<ServiceCalendar> {
    const calendar = (await loadCalendars(api.orm.em.fork(), [id], service, { ...window, now })).get(id);
    if (!calendar?.onOffer) throw new DomainError('not_found', 'This provider does not offer this service now.');
    return calendar;
  }
}

/** The window that is read before the zone of the query's dates is known. Epoch milliseconds. */
function roughly(from: string | number, to: string | number | undefined): { from: number; to: number } {
  const [first, last] = [from, to].map((moment) => (typeof moment === 'string' ? Date.parse(moment) : moment));
  return { from: first! - dayMs, to: (last ?? first! + defaultDays * dayMs) + 2 * dayMs };
}

/** The window in epoch milliseconds. @throws validation_failed for a window that is empty or too long */
function windowOf(query: { from?: string | undefined; to?: string | undefined }, zone: string, now: number): readonly [number, number] {
  const from = query.from === undefined ? now : edgeOf(query.from, zone, now, 'start');
  const to = query.to === undefined ? Math.max(from, now) + defaultDays * dayMs : edgeOf(query.to, zone, now, 'end');
  const refuse = (message: string) => invalid('/to', message);
  if (from >= to) throw refuse('must be after from');
  // One hour more, for a month in which the clocks are put back.
  if (to - from > maxDays * dayMs + 3_600_000) throw refuse(`at most ${maxDays} days after from`);
  return [from, to];
}

/** An instant, or the beginning or end of a local date. Epoch milliseconds. */
function edgeOf(moment: string, zone: string, now: number, edge: 'start' | 'end'): number {
  if (moment.includes('T')) return Date.parse(moment);
  const wall = (dayNumber(moment) + (edge === 'end' ? 1 : 0)) * dayMs;
  // Nothing can be booked that far away, so no zone is needed. Some years are also outside the range of every zone.
  if (Math.abs(wall - now) > 2 * furthestMs) return wall;
  return clockOf(zone, wall, wall).firstShown(wall);
}

/** Slots in the form that clients get. */
function inZone(slots: readonly Interval[], zone: string): FreeSlot[] {
  if (slots.length === 0) return [];
  const clock = clockOf(zone, slots[0]!.start, slots.at(-1)!.end);
  return slots.map(({ start, end }) => ({
    startsAt: iso(start),
    endsAt: iso(end),
    local: { startsAt: formatLocal(start, clock), endsAt: formatLocal(end, clock) },
  }));
}
