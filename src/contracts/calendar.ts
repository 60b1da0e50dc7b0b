import { z } from 'zod';
import { slotMinutes } from '../domain/calendar/availability.ts';
import { Instant, Links, Zone } from './common.ts';

/** Each instant is given twice: in UTC, and in the zone that was asked for. */
const times = { startsAt: Instant, endsAt: Instant };
export const FreeSlot = z
  .strictObject({ ...times, local: z.strictObject(times).meta({ description: 'The same instants with the offset of `zone`' }) })
  .meta({ id: 'FreeSlot' });
export type FreeSlot = z.infer<typeof FreeSlot>;

const zones = {
  zone: z.string().meta({ description: 'What `local` is in: the zone asked for, else the provider’s' }),
  providerZone: z.string().meta({ description: 'The zone of their opening hours' }),
};

export const SlotList = z
  .strictObject({ items: z.array(FreeSlot), ...zones, nextCursor: z.string().nullable().meta({ description: 'null on the last page.' }) })
  .meta({ id: 'SlotList' });

export const NextSlot = z
  .strictObject({
    slot: FreeSlot.nullable().meta({ description: 'null: nothing is free' }),
    ...zones,
    searchedUntil: Instant.meta({ description: 'The provider’s booking horizon: nobody can book behind it' }),
  })
  .meta({ id: 'NextSlot' });

export const LocalDate = z.iso
  .date('must be a date that exists, e.g. 2026-12-24')
  .meta({ description: 'Local date', example: '2026-01-12' });

const service = z.string().min(1).max(64);
const durationMinutes = z.coerce
  .number()
  .int()
  .min(slotMinutes.min)
  .max(slotMinutes.max)
  .optional()
  .meta({ description: 'Length of the slots; default: as long as the provider’s service takes' });
const zone = Zone.optional().meta({ description: 'For `local` and for dates; default: the provider’s' });
const moment = z.union([Instant, LocalDate], 'must be an instant such as 2026-12-24T09:00:00Z, or a date such as 2026-12-24');

export const SlotQuery = z.strictObject({
  service,
  from: moment.optional().meta({ description: 'Instant, or a date: from its beginning. Default: now' }),
  to: moment.optional().meta({ description: 'Instant, or a date: to its end. Default: a week after `from`' }),
  zone,
  durationMinutes,
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
  cursor: z
    .string()
    .max(1_000)
    .optional()
    .meta({ description: '`nextCursor` of the page before; opaque, and valid with the same query only.' }),
});

export const NextSlotQuery = z.strictObject({
  service,
  after: moment.optional().meta({ description: 'Instant, or a date: from its beginning. Default: now' }),
  zone,
  durationMinutes,
});

const dates = {
  fromDate: LocalDate,
  toDate: LocalDate.optional().meta({ description: 'Last day, included; default: one day only' }),
  reason: z.string().trim().min(1).max(200).nullable().default(null).meta({ description: 'For yourself: nobody else sees it' }),
};

/** Minutes count from local midnight. */
export const PutException = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('closed'), ...dates }).meta({ description: 'A closed day, or a vacation' }),
    z
      .strictObject({ kind: z.literal('extra'), ...dates, startMinute: z.int().min(0).max(1439), endMinute: z.int().min(1).max(1440) })
      .meta({ description: 'Extra hours on each of these days' }),
  ])
  .meta({ id: 'PutException', example: { kind: 'closed', fromDate: '2026-01-19', toDate: '2026-01-23', reason: 'Vacation' } });
export type PutException = z.infer<typeof PutException>;

export const ExceptionView = z
  .strictObject({
    id: z.uuid(),
    kind: z.enum(['closed', 'extra']),
    fromDate: LocalDate,
    toDate: LocalDate,
    startMinute: z.int().nullable(),
    endMinute: z.int().nullable(),
    reason: z.string().nullable(),
    seq: z.int().meta({ description: 'Position of your timeline as a provider; also the ETag' }),
    links: Links,
  })
  .meta({ id: 'CalendarException' });
export type ExceptionView = z.infer<typeof ExceptionView>;

/** The answer to a change of an exception. */
export const ChangedException = z
  .strictObject({
    ...ExceptionView.shape,
    bookings: z
      .array(z.uuid())
      .meta({ description: 'Booked in the closed time already, the first 100: they stay until they are cancelled or moved' }),
  })
  .meta({ id: 'ChangedCalendarException' });
