import { z } from 'zod';
import { bookingInterventions, bookingMachine, paymentMachine } from '../domain/booking/machine.ts';
import { Instant, Links, LocalTime, Money, Reason, Slot, Zone } from './common.ts';

export const CheckIn = z
  .strictObject({
    ...Reason.shape,
    code: z
      .string()
      .regex(/^\d{6}$/, 'must be six digits')
      .optional()
      .meta({ description: 'Required of the provider: the six digits that the consumer shows' }),
  })
  .meta({ id: 'CheckIn', example: { code: '482913' } });

export const CompleteBooking = z
  .strictObject({ finalPrice: Money.optional() })
  .meta({ id: 'CompleteBooking', example: { finalPrice: { amount: 12_000, currency: 'USD' } } });

export const CancelBooking = z
  .strictObject({ ...Reason.shape, fee: Money.optional().meta({ description: 'The most you have agreed to pay for it' }) })
  .meta({ id: 'CancelBooking', example: { reason: 'I have to travel', fee: { amount: 5_000, currency: 'USD' } } });

export const ProposeReschedule = z
  .strictObject({
    ...Reason.shape,
    slot: z.strictObject({ startsAt: Instant, zone: Zone.optional() }).optional(),
    start: LocalTime.optional(),
  })
  .refine(({ slot, start }) => (slot === undefined) !== (start === undefined), 'give a slot or a start')
  .meta({
    id: 'ProposeReschedule',
    example: { start: { local: '2026-01-05T15:00', zone: 'America/New_York' }, reason: 'Nobody is at home before that' },
  });
export const AnswerReschedule = z
  .strictObject({ ...Reason.shape, accept: z.boolean() })
  .meta({ id: 'AnswerReschedule', example: { accept: true } });

/** The reason is required, because an operator rules by it. */
export const Objection = z
  .strictObject({ reason: Reason.shape.reason.unwrap() })
  .meta({ id: 'Objection', example: { reason: 'It was not like that: a neighbour can tell, and there are photos' } });

export const InterveneBooking = z
  .strictObject({
    action: z.enum(bookingInterventions),
    ticket: z.string().trim().min(1).max(100),
    reason: Reason.shape.reason.unwrap(),
    refund: Money.optional().meta({ description: 'With `rule`: what the consumer gets back; without it nothing' }),
  })
  .meta({
    id: 'InterveneBooking',
    example: { action: 'cancel', ticket: 'SUP-1042', reason: 'Both sides called and asked for it' },
  });

export const CancelPreview = z
  .strictObject({
    fee: Money.meta({ description: 'What cancelling now costs you' }),
    feePercent: z.int(),
    released: Money.nullable().meta({
      description: 'What of the authorised amount is given back; null when the parties settle it themselves',
    }),
    until: Instant.nullable().meta({ description: 'When it gets dearer' }),
    policyVersion: z.string(),
  })
  .meta({ id: 'CancelPreview' });
export type CancelPreview = z.infer<typeof CancelPreview>;

const side = z.enum(['consumer', 'provider']);
const Person = z.strictObject({ displayName: z.string().nullable(), email: z.string().nullable() });

export const BookingPayment = z
  .strictObject({
    status: z.enum(paymentMachine.statuses).nullable().meta({ description: 'Of the newest authorisation; null before the first' }),
    authorised: Money.meta({ description: 'Reserved now' }),
    captured: Money,
    refunded: Money,
  })
  .meta({ id: 'BookingPayment' });

export const BookingView = z
  .strictObject({
    id: z.uuid(),
    requestId: z.uuid(),
    offerId: z.uuid(),
    seriesId: z.uuid().nullable(),
    status: z.enum(bookingMachine.statuses),
    statusReason: z.string().nullable(),
    service: z.string(),
    slot: Slot,
    reschedule: z
      .strictObject({ by: side, slot: Slot, expiresAt: Instant })
      .nullable()
      .meta({ description: 'The proposed slot that waits for an answer' }),
    price: Money,
    finalPrice: Money.nullable(),
    fee: Money.nullable().meta({ description: 'What a cancellation or a no-show costs the consumer' }),
    refund: Money.nullable().meta({ description: 'What a ruling gives back' }),
    payment: BookingPayment.nullable().meta({ description: 'null when the parties settle it themselves' }),
    provider: z.strictObject({ id: z.uuid(), displayName: z.string() }),
    consumer: z.strictObject({ id: z.uuid(), displayName: z.string().nullable() }),
    contact: z
      .strictObject({ consumer: Person, provider: Person })
      .nullable()
      .meta({ description: 'From `confirmed` on, for as long as there is something to sort out' }),
    address: z.string().nullable().meta({ description: 'As long as `contact`' }),
    checkInCode: z
      .string()
      .nullable()
      .meta({ description: 'Consumer only, while confirmed: show it at the door. null after five wrong tries: make a new one' }),
    heldUntil: Instant,
    contestUntil: Instant.nullable().meta({ description: 'Until when the side that is said to have been absent may contest it' }),
    disputeUntil: Instant.nullable().meta({ description: 'Until when either side may dispute the completion' }),
    createdAt: Instant,
    closedAt: Instant.nullable(),
    seq: z.int(),
    links: Links,
  })
  .meta({ id: 'Booking' });
export type BookingView = z.infer<typeof BookingView>;
