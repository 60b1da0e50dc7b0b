import { z } from 'zod';
import { actorRoles } from '../domain/actor.ts';
import { isZone } from '../domain/calendar/local-time.ts';
import { currencies } from '../domain/money.ts';

/** Integer minor units and the ISO 4217 code. */
export const Money = z
  .strictObject({ amount: z.int().min(0), currency: z.enum(currencies) })
  .meta({ id: 'Money', example: { amount: 12_000, currency: 'USD' } });
export type Money = z.infer<typeof Money>;

const instant = z.iso.datetime({ offset: true }).meta({ description: 'RFC 3339 instant' });
export const Instant = instant;

export const Zone = z
  .string()
  .min(1)
  .max(64)
  .refine(isZone, 'must be the name of an IANA time zone, e.g. America/New_York or UTC')
  .meta({ description: 'IANA time zone' });

/** A bookable interval, half-open, and the zone in which it was chosen. */
export const Slot = z.strictObject({ startsAt: instant, endsAt: instant, zone: Zone }).meta({ id: 'Slot' });
export type Slot = z.infer<typeof Slot>;

/** A local time in a zone, as people say it. */
export const LocalTime = z
  .strictObject({
    local: z.string().max(40).meta({ description: 'Date and time without an offset', example: '2026-01-05T14:30' }),
    zone: Zone,
    disambiguation: z
      .enum(['earlier', 'later'])
      .optional()
      .meta({ description: 'Which one is meant when the clocks are put back and show the time twice; default `earlier`' }),
  })
  .meta({ id: 'LocalTime', description: 'A time that the clocks skip is refused with `local_time_gap` and the nearest ones that exist.' });

/** The fields by which a body names a slot: its instants, or a local start that keeps the slot's length. `chosenSlot` reads them. */
export const slotChoice = { slot: Slot.optional(), start: LocalTime.optional() };

/** A reason. The timeline shows it to those who may see the event. */
export const Reason = z
  .strictObject({ reason: z.string().trim().min(1).max(500).optional() })
  .meta({ example: { reason: 'As agreed on the phone' } });

export const Links = z.record(z.string(), z.string());

export const TimelineEntry = z
  .strictObject({
    seq: z.int(),
    type: z.string(),
    at: instant,
    by: z.enum(actorRoles),
    reason: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'TimelineEntry' });
export type TimelineEntry = z.infer<typeof TimelineEntry>;
