import { z } from 'zod';
import { actorRoles } from '../domain/actor.ts';
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
  .refine(isZone, 'must be an IANA time zone, e.g. America/New_York')
  .meta({ description: 'IANA time zone' });

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return /^[A-Za-z]/.test(zone);
  } catch {
    return false;
  }
}

/** A bookable interval, half-open, and the zone it is meant in. */
export const Slot = z.strictObject({ startsAt: instant, endsAt: instant, zone: Zone }).meta({ id: 'Slot' });
export type Slot = z.infer<typeof Slot>;

/** Why: shown on the timeline to those who may see it. */
export const Reason = z.strictObject({ reason: z.string().trim().min(1).max(500).optional() });

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
