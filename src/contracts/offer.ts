import { z } from 'zod';
import { Instant, Links, Money, Slot, slotChoice } from './common.ts';
import { offerMachine } from '../domain/request/offer.ts';

/** New terms. Without any, the provider takes the suggested ones. */
export const ProposeOffer = z
  .strictObject({ price: Money.optional(), ...slotChoice })
  .meta({ id: 'ProposeOffer', example: { price: { amount: 21_000, currency: 'USD' } } });
export const CounterOffer = z
  .strictObject({ price: Money.optional(), ...slotChoice })
  .refine(({ price, slot, start }) => price || slot || start, 'give a price, a slot or both')
  .meta({ id: 'CounterOffer', example: { price: { amount: 18_000, currency: 'USD' } } });
/** Accepting changes no terms. */
export const AcceptOffer = z.strictObject({}).meta({ id: 'AcceptOffer', example: {} });

export const OfferView = z
  .strictObject({
    id: z.uuid(),
    requestId: z.uuid(),
    provider: z.strictObject({ id: z.uuid(), displayName: z.string(), rating: z.number().nullable(), reviews: z.int() }),
    round: z.int(),
    status: z.enum(offerMachine.statuses),
    statusReason: z.string().nullable(),
    version: z.int(),
    price: Money,
    slot: Slot,
    expiresAt: Instant.nullable(),
    bookingId: z.uuid().nullable(),
    createdAt: Instant,
    changedAt: Instant,
    links: Links,
  })
  .meta({ id: 'Offer' });
export type OfferView = z.infer<typeof OfferView>;

/** An invitation as its provider sees it: the wanted service, and why the provider was asked. Never an address. */
export const LeadView = z
  .strictObject({
    offer: OfferView,
    service: z.string(),
    region: z.string().nullable(),
    distanceKm: z.number().nullable(),
    mode: z.enum(['compare', 'instant']),
    details: z.record(z.string(), z.unknown()),
    why: z.record(z.string(), z.number()).meta({ description: 'Lines of the score' }),
  })
  .meta({ id: 'Lead' });
export type LeadView = z.infer<typeof LeadView>;

export const LeadInsights = z
  .strictObject({
    days: z.int(),
    invited: z.int(),
    stoppedByGate: z.record(z.string(), z.int()).meta({ description: 'How often each gate kept you from being asked' }),
    averageScore: z.number().nullable(),
  })
  .meta({ id: 'LeadInsights' });
export type LeadInsights = z.infer<typeof LeadInsights>;
