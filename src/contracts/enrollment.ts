import { z } from 'zod';
import type { ApplicationDetails } from '../domain/enrollment/application.ts';
import { applicationVerdicts, credentialKinds, enrollmentMachine } from '../domain/enrollment/machine.ts';
import { checkOutcomes } from '../domain/enrollment/types.ts';
import { Instant, Links, Money, Zone } from './common.ts';

const line = (max: number) => z.string().trim().min(1).max(max);
const code = z.string().min(1).max(64);

/** A link to a photo. Photos are hosted elsewhere, and only https links are shown. */
export const PhotoUrl = z.url({ protocol: /^https$/, hostname: z.regexes.domain }).max(500);

export const OfferedService = z
  .strictObject({
    code: code.meta({ example: 'hair.cut' }),
    price: Money,
    durationMinutes: z.int().min(5).max(1440),
    specialisations: z.array(line(60)).max(20).optional(),
  })
  .meta({ id: 'OfferedService' });

export const WeeklyOpening = z
  .strictObject({
    weekday: z.int().min(1).max(7).meta({ description: 'ISO: 1 Monday … 7 Sunday' }),
    startMinute: z.int().min(0).max(1439).meta({ description: 'From local midnight' }),
    endMinute: z.int().min(1).max(1440),
  })
  .meta({ id: 'WeeklyOpening' });

const GivenCredential = z.strictObject({
  kind: z.enum(credentialKinds),
  category: code.optional().meta({ description: 'Required for a licence' }),
  reference: line(100).meta({ description: 'Its number, as printed' }),
  validUntil: Instant.optional(),
});

/** An application or a part of it. Parts that are not sent stay as they are. */
export const Application = z
  .strictObject({
    displayName: line(80),
    bio: z.string().trim().max(2000),
    zone: Zone,
    location: z.strictObject({ lat: z.number().min(-90).max(90), lon: z.number().min(-180).max(180), place: line(120).optional() }),
    radiusKm: z.number().min(1).max(200),
    services: z.array(OfferedService).max(50),
    availability: z.array(WeeklyOpening).max(70),
    credentials: z.array(GivenCredential).max(20),
    portfolio: z.array(z.strictObject({ url: PhotoUrl, caption: line(120).optional() })).max(30),
  })
  .partial()
  .meta({
    id: 'Application',
    example: {
      displayName: 'Alice Doe Cleaning',
      bio: 'Ten years of homes in Brooklyn',
      zone: 'America/New_York',
      location: { lat: 40.672, lon: -73.9778, place: 'Park Slope' },
      radiusKm: 15,
      services: [{ code: 'cleaning.standard', price: { amount: 12_000, currency: 'USD' }, durationMinutes: 150 }],
      availability: [
        { weekday: 1, startMinute: 540, endMinute: 1_020 },
        { weekday: 2, startMinute: 540, endMinute: 1_020 },
      ],
    },
  }) satisfies z.ZodType<ApplicationDetails>;

export const DecideApplication = z
  .strictObject({ verdict: z.enum(applicationVerdicts), reason: line(500).optional() })
  .meta({ id: 'DecideApplication', example: { verdict: 'approve' } });

export const EnrollmentView = z
  .strictObject({
    id: z.uuid(),
    applicantId: z.uuid(),
    status: z.enum(enrollmentMachine.statuses),
    statusReason: z.string().nullable(),
    application: Application,
    checks: z.array(z.strictObject({ check: z.string(), outcome: z.enum(checkOutcomes) })),
    createdAt: Instant,
    decidedAt: Instant.nullable(),
    seq: z.int().meta({ description: 'Position of the timeline; also the ETag' }),
    links: Links,
  })
  .meta({ id: 'Enrollment' });
export type EnrollmentView = z.infer<typeof EnrollmentView>;
