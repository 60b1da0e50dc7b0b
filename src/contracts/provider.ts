import { z } from 'zod';
import { credentialKinds, credentialMachine } from '../domain/enrollment/machine.ts';
import { providerMachine } from '../domain/provider/machine.ts';
import { Instant, Links, Money } from './common.ts';
import { Application, OfferedService, WeeklyOpening } from './enrollment.ts';

const profile = Application.shape;
const photos = z.array(z.strictObject({ url: z.string(), caption: z.string().optional() }));

const ServiceOnOffer = z.strictObject({
  code: z.string(),
  price: Money,
  durationMinutes: z.int(),
  specialisations: z.array(z.string()),
});

/** A provider as everybody sees them: no contact data, no exact position. */
export const ProviderView = z
  .strictObject({
    id: z.uuid(),
    displayName: z.string(),
    bio: z.string(),
    zone: z.string(),
    area: z.strictObject({ lat: z.number(), lon: z.number(), radiusKm: z.number() }).meta({ description: 'Rounded to about a kilometre' }),
    rating: z.number().nullable(),
    reviews: z.int(),
    services: z.array(ServiceOnOffer),
    credentials: z
      .array(z.strictObject({ kind: z.enum(credentialKinds), category: z.string().nullable() }))
      .meta({ description: 'Verified and valid now' }),
    portfolio: photos,
    distanceKm: z.number().nullable().meta({ description: 'Only in a search near a place' }),
    links: Links,
  })
  .meta({ id: 'Provider' });
export type ProviderView = z.infer<typeof ProviderView>;

const calendar = {
  minimumNoticeMinutes: z.int().min(0).max(43_200),
  horizonDays: z.int().min(1).max(730),
  dailyCap: z.int().min(1).max(100).nullable().meta({ description: 'Bookings that start on one local day; null for no limit' }),
  capacity: z.int().min(1).max(100).meta({
    description: 'Bookings at the same time. After it is lowered, bookings that exist stay, and nothing is added while they fill it.',
  }),
};

/** A provider as they see themselves. */
export const OwnProviderView = z
  .strictObject({
    id: z.uuid(),
    status: z.enum(providerMachine.statuses),
    displayName: z.string(),
    bio: z.string(),
    zone: z.string(),
    location: z.strictObject({ lat: z.number(), lon: z.number() }),
    radiusKm: z.number(),
    ...calendar,
    rating: z.number().nullable(),
    reviews: z.int(),
    services: z.array(
      z.strictObject({ ...ServiceOnOffer.shape, bufferBeforeMinutes: z.int(), bufferAfterMinutes: z.int(), active: z.boolean() }),
    ),
    availability: z.array(WeeklyOpening),
    credentials: z.array(
      z.strictObject({
        id: z.uuid(),
        kind: z.enum(credentialKinds),
        category: z.string().nullable(),
        status: z.enum(credentialMachine.statuses),
        reference: z.string(),
        validUntil: Instant.nullable(),
      }),
    ),
    portfolio: photos,
    seq: z.int().meta({ description: 'Position of the timeline; also the ETag' }),
    links: Links,
  })
  .meta({ id: 'OwnProvider' });
export type OwnProviderView = z.infer<typeof OwnProviderView>;

export const EditProvider = z
  .strictObject({
    displayName: profile.displayName.unwrap(),
    bio: profile.bio.unwrap(),
    zone: profile.zone.unwrap(),
    location: z.strictObject({ lat: z.number().min(-90).max(90), lon: z.number().min(-180).max(180) }),
    radiusKm: profile.radiusKm.unwrap(),
    portfolio: profile.portfolio.unwrap(),
    ...calendar,
    status: z.enum(['active', 'paused']).meta({ description: 'paused: nobody asks you until you are active again' }),
  })
  .partial()
  .meta({ id: 'EditProvider', example: { bio: 'Ten years of homes in Brooklyn', radiusKm: 15, minimumNoticeMinutes: 120, capacity: 2 } });
export type EditProvider = z.infer<typeof EditProvider>;

const buffer = z.int().min(0).max(480);
export const PutService = OfferedService.omit({ code: true })
  .extend({ bufferBeforeMinutes: buffer.default(0), bufferAfterMinutes: buffer.default(0), active: z.boolean().default(true) })
  .meta({ id: 'PutService', example: { price: { amount: 12_000, currency: 'USD' }, durationMinutes: 150, bufferAfterMinutes: 15 } });
export type PutService = z.infer<typeof PutService>;

export const PutAvailability = z.strictObject({ availability: z.array(WeeklyOpening).max(70) }).meta({
  id: 'PutAvailability',
  example: {
    availability: [
      { weekday: 1, startMinute: 540, endMinute: 1_020 },
      { weekday: 6, startMinute: 600, endMinute: 840 },
    ],
  },
});
