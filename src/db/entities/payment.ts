import { defineEntity, p } from '@mikro-orm/core';
import { paymentMachine } from '../../domain/booking/machine.ts';
import { Booking } from './booking.ts';
import { insertedAt, instant, minorUnits } from './columns.ts';
import { UserAccount } from './user.ts';

/** One authorisation of a booking's price and its result. Amounts are integer minor units of one currency. */
export const Payment = defineEntity({
  name: 'Payment',
  tableName: 'payment',
  uniques: [{ name: 'payment_attempt_unique', properties: ['bookingId', 'attempt'] }],
  checks: [
    { name: 'payment_attempt_check', expression: 'attempt > 0' },
    { name: 'payment_amount_check', expression: 'amount >= 0 and captured >= 0 and released >= 0 and refunded >= 0' },
    { name: 'payment_balance_check', expression: 'captured + released <= amount and refunded <= captured' },
    { name: 'payment_captured_check', expression: "status <> 'captured' or captured + released = amount" },
    { name: 'payment_released_check', expression: "status <> 'released' or released = amount" },
    { name: 'payment_ref_check', expression: "(status <> 'authorised' and status <> 'captured') or ref is not null" },
  ],
  properties: {
    id: p.uuid().primary(),
    bookingId: () => p.manyToOne(Booking).mapToPk().fieldName('booking_id'),
    attempt: p.smallint(),
    status: p.enum([...paymentMachine.statuses]).default(paymentMachine.initial),
    amount: minorUnits(),
    captured: minorUnits().default(0),
    released: minorUnits().default(0),
    refunded: minorUnits().default(0),
    currency: p.text(),
    ref: p.text().nullable().comment("the provider's name for it"),
    lapsesAt: instant().nullable(),
    createdAt: insertedAt(),
    changedAt: insertedAt(),
  },
});

/** How somebody pays: tokens of the payment provider, never card data. The customer stays when the method is removed. */
export const PaymentMethod = defineEntity({
  name: 'PaymentMethod',
  tableName: 'payment_method',
  checks: [{ name: 'payment_method_stored_check', expression: '(method_ref is null) = (stored_at is null)' }],
  properties: {
    userId: () => p.oneToOne(UserAccount).primary().mapToPk().owner().fieldName('user_id').unique(false),
    methodRef: p.text().nullable(),
    customerRef: p.text().nullable(),
    attached: p.boolean().default(false).comment('tied to the customer'),
    storedAt: instant().nullable(),
  },
});
