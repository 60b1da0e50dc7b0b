import { z } from 'zod';
import { Instant, Links } from './common.ts';

/** Twelve digits in a row are part of a card number, never of a token. */
const cardNumber = /\d{12}/;

export const StorePaymentMethod = z
  .strictObject({
    method: z
      .string()
      .regex(/^pm_[A-Za-z0-9_]{1,200}$/, { error: 'must be the token of a payment method (pm_…)', abort: true })
      .refine((token) => !cardNumber.test(token), 'must be a token, never a card number')
      .meta({ description: "A token of the payment provider's own form; card numbers never come here" }),
  })
  .meta({ id: 'StorePaymentMethod', example: { method: 'pm_card_visa' } });

export const PaymentMethodView = z
  .strictObject({
    stored: z.boolean(),
    storedAt: Instant.nullable(),
    seq: z.int(),
    links: Links,
  })
  .meta({ id: 'PaymentMethod' });
export type PaymentMethodView = z.infer<typeof PaymentMethodView>;

/** A report of the payment provider about one authorisation of a booking. It may come twice, late and out of order. */
export interface PaymentNotice {
  bookingId: string;
  fact: { eventId: string; kind: 'authorised' | 'cancelled' | 'failed' | 'captured' | 'refunded'; attempt: number; ref: string };
}
