import { z } from 'zod';
import { factKinds, type JsonType } from '../domain/intake/fact-kind.ts';
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
  details: z.record(z.string().max(64), detailValue()).optional(),
};

/**
 * The JSON values that a service's own fact may have, derived from the kinds of facts. Objects are left out: they have fields of their own.
 */
function detailValue() {
  const schemas = { string: z.string().max(1000), number: z.number(), boolean: z.boolean() } satisfies Record<
    Exclude<JsonType, 'object'>,
    z.ZodType
  >;
  const types = new Set(Object.values(factKinds).map(({ json }) => json));
  return z.union([...types].flatMap((type) => (type === 'object' ? [] : [schemas[type]])));
}

export const CreateRequest = z
  .strictObject({
    ...facts,
    mode: mode.optional(),
    submit: z.boolean().optional().meta({ description: 'true: send exactly these facts out now' }),
  })
  .meta({
    id: 'CreateRequest',
    example: {
      service: 'plumbing.leak',
      location: { place: 'Park Slope', lat: 40.672, lon: -73.9778, zone: 'America/New_York', address: '1 Main Street' },
      when: { from: '2026-01-02T14:00:00Z', to: '2026-01-02T22:00:00Z', zone: 'America/New_York' },
      budget: { amount: 40_000, currency: 'USD' },
      details: { room: 'kitchen' },
      submit: true,
    },
  });
export const EditRequest = z
  .strictObject({ ...facts, mode })
  .partial()
  .meta({ id: 'EditRequest', example: { budget: { amount: 30_000, currency: 'USD' }, notes: 'The water is turned off' } });
export const SubmitRequest = z
  .strictObject({ draftHash: z.string().min(1).max(64).meta({ description: 'Of the draft as you have seen it' }) })
  .meta({ id: 'SubmitRequest', example: { draftHash: 'q3Zt0c1nKk8yVb5mWx2LrA' } });

const monthMs = 30 * 86_400_000;
export const InterveneRequest = z
  .strictObject({
    action: z.enum(['rematch', 'extend_deadline', 'close']),
    ticket: z.string().trim().min(1).max(100),
    reason: Reason.shape.reason.unwrap(),
    extendByMs: z.int().min(1).max(monthMs).optional().meta({ description: 'With `extend_deadline`' }),
  })
  .meta({
    id: 'InterveneRequest',
    example: { action: 'extend_deadline', ticket: 'SUP-1042', reason: 'A storm: providers need longer to answer', extendByMs: 3_600_000 },
  });

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
