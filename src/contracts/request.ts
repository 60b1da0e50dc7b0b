import { z } from 'zod';
import { requestMachine } from '../domain/request/machine.ts';
import { Instant, Links, Money, Reason, Zone } from './common.ts';

export const requestModes = ['compare', 'instant'] as const;
const mode = z
  .enum(requestModes)
  .meta({ description: 'compare: providers propose, you choose. instant: the first provider who accepts is booked.' });

export const Location = z.strictObject({
  place: z.string().trim().min(1).max(120),
  lat: z.number().min(-90).max(90),
  lon: z.number().min(-180).max(180),
  zone: Zone,
  address: z.string().trim().min(1).max(300).optional(),
});
export const TimeWindow = z
  .strictObject({ from: Instant, to: Instant, zone: Zone })
  .meta({ description: 'The window in which the job may start' });

const facts = {
  service: z.string().min(1).max(64),
  location: Location,
  when: TimeWindow,
  budget: Money.optional(),
  notes: z.string().trim().min(1).max(1000).optional(),
  /** The service's own facts, by key (see GET /catalogue/services/{code}). */
  details: z.record(z.string().max(64), z.union([z.string().max(1000), z.number(), z.boolean()])).optional(),
};

export const CreateRequest = z
  .strictObject({
    ...facts,
    mode: mode.optional(),
    submit: z.boolean().optional().meta({ description: 'true: send exactly these facts out now' }),
  })
  .meta({ id: 'CreateRequest' });
export const EditRequest = z
  .strictObject({ ...facts, mode })
  .partial()
  .meta({ id: 'EditRequest' });
export const SubmitRequest = z.strictObject({ draftHash: z.string().min(1).max(64) }).meta({ id: 'SubmitRequest' });

const monthMs = 30 * 86_400_000;
export const InterveneRequest = z
  .strictObject({
    action: z.enum(['rematch', 'extend_deadline', 'close']),
    ticket: z.string().trim().min(1).max(100),
    reason: Reason.shape.reason.unwrap(),
    extendByMs: z.int().min(1).max(monthMs).optional().meta({ description: 'With `extend_deadline`' }),
  })
  .meta({ id: 'InterveneRequest' });

export const RequestView = z
  .strictObject({
    id: z.uuid(),
    status: z.enum(requestMachine.statuses),
    statusReason: z.string().nullable(),
    mode,
    service: z.string().nullable(),
    facts: z.record(z.string(), z.unknown()),
    missing: z.array(z.string()),
    draftHash: z.string().nullable(),
    round: z.int(),
    deadline: Instant.nullable(),
    acceptedOfferId: z.uuid().nullable(),
    bookingId: z.uuid().nullable(),
    createdAt: Instant,
    closedAt: Instant.nullable(),
    seq: z.int().meta({ description: 'Position of the timeline; also the ETag' }),
    links: Links,
  })
  .meta({ id: 'Request' });
export type RequestView = z.infer<typeof RequestView>;

export const MatchView = z
  .strictObject({
    round: z.int(),
    provider: z.strictObject({ id: z.uuid(), displayName: z.string() }),
    invited: z.boolean(),
    score: z.number(),
    gates: z.array(z.string()),
    reasons: z.array(z.string()),
    tradeOff: z.string().nullable(),
    distanceKm: z.number(),
    contributions: z.record(z.string(), z.number()).nullable().meta({ description: 'Operators only' }),
  })
  .meta({ id: 'Match' });
export type MatchView = z.infer<typeof MatchView>;
