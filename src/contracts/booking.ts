import { z } from 'zod';
import { bookingMachine } from '../domain/booking.machine.ts';
import { Instant, Links, Money, Slot } from './common.ts';

export const CompleteBooking = z.strictObject({ finalPrice: Money.optional() }).meta({ id: 'CompleteBooking' });

export const BookingView = z
  .strictObject({
    id: z.uuid(),
    requestId: z.uuid(),
    offerId: z.uuid(),
    status: z.enum(bookingMachine.statuses),
    statusReason: z.string().nullable(),
    service: z.string(),
    slot: Slot,
    price: Money,
    finalPrice: Money.nullable(),
    provider: z.strictObject({ id: z.uuid(), displayName: z.string() }),
    consumer: z.strictObject({ id: z.uuid(), displayName: z.string().nullable() }),
    address: z.string().nullable().meta({ description: 'From `confirmed` on' }),
    heldUntil: Instant,
    createdAt: Instant,
    closedAt: Instant.nullable(),
    seq: z.int(),
    links: Links,
  })
  .meta({ id: 'Booking' });
export type BookingView = z.infer<typeof BookingView>;
