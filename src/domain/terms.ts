// The words that several rooms share: what is agreed on, when, and how it can end.
import type { Currency } from './money.ts';

/** A slot: instants RFC 3339, the zone it is meant in. */
export interface Slot {
  startsAt: string;
  endsAt: string;
  zone: string;
}

/** Terms on the table: integer minor units and the slot. */
export interface Terms extends Slot {
  price: number;
  currency: Currency;
}

/** The terms alone, without what else the object knows. */
export const termsOf = ({ price, currency, startsAt, endsAt, zone }: Terms): Terms => ({ price, currency, startsAt, endsAt, zone });

/** How a booking can end, seen from the request. */
export type BookingOutcome = 'completed' | 'cancelled' | 'provider_dropped' | 'released' | 'no_show' | 'payment_failed';
