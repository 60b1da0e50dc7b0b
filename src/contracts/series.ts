import { z } from 'zod';
import { bookingMachine } from '../domain/booking/machine.ts';
import { occurrenceMachine, seriesMachine } from '../domain/series/machine.ts';
import { occurrenceCount } from '../domain/series/types.ts';
import { Instant, Links, LocalTime, Money, Reason, Slot, slotChoice } from './common.ts';

export const CreateSeries = z
  .strictObject({
    bookingId: z.uuid().meta({ description: 'A booking of yours that was confirmed: who, what, how long and for how much' }),
    everyWeeks: z.union([z.literal(1), z.literal(2)]),
    first: LocalTime.meta({ description: 'When it begins; every occurrence keeps this time on the clock of this zone' }),
    count: z.int().min(occurrenceCount.min).max(occurrenceCount.max).optional(),
    until: z.iso.date().optional().meta({ description: 'Last day, included; instead of a count' }),
  })
  .meta({
    id: 'CreateSeries',
    example: {
      bookingId: 'e4a1c9f2-7b35-4d08-9c61-2f8d5a7e3b14',
      everyWeeks: 1,
      first: { local: '2026-01-06T10:00', zone: 'America/New_York' },
      count: 6,
    },
  });

export const MoveOccurrence = z.strictObject({ ...slotChoice, ...Reason.shape }).meta({
  id: 'MoveOccurrence',
  // Moves the fifth occurrence of the series in the example of `CreateSeries`: the first four are booked at once.
  example: { start: { local: '2026-02-03T15:00', zone: 'America/New_York' }, reason: 'I am away in the morning' },
});

const OccurrenceView = z
  .strictObject({
    n: z.int(),
    status: z.enum(occurrenceMachine.statuses),
    slot: Slot,
    booking: z.strictObject({ id: z.uuid(), status: z.enum(bookingMachine.statuses) }).nullable(),
    code: z.string().nullable().meta({ description: 'Why it was not booked' }),
    alternatives: z
      .array(z.strictObject({ startsAt: Instant, endsAt: Instant }))
      .nullable()
      .meta({ description: 'Slots that were free near it when it could not be booked' }),
  })
  .meta({ id: 'Occurrence' });

export const SeriesView = z
  .strictObject({
    id: z.uuid(),
    bookingId: z.uuid(),
    status: z.enum(seriesMachine.statuses),
    statusReason: z.string().nullable(),
    service: z.string(),
    everyWeeks: z.int(),
    zone: z.string(),
    price: Money,
    provider: z.strictObject({ id: z.uuid(), displayName: z.string() }),
    consumer: z.strictObject({ id: z.uuid(), displayName: z.string().nullable() }),
    occurrences: z.array(OccurrenceView),
    expiresAt: Instant.meta({ description: 'By when the provider has to answer' }),
    createdAt: Instant,
    closedAt: Instant.nullable(),
    seq: z.int(),
    links: Links,
  })
  .meta({ id: 'Series' });
export type SeriesView = z.infer<typeof SeriesView>;
