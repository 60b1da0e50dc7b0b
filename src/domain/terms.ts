// Types that several nouns share: the slot, the terms, and how a booking can end.
import type { Currency } from './money.ts';

/** A slot: instants in RFC 3339, and the IANA zone in which the slot was chosen. */
export interface Slot {
  startsAt: string;
  endsAt: string;
  zone: string;
}

/** Proposed or agreed terms: the slot, and the price in integer minor units. */
export interface Terms extends Slot {
  price: number;
  currency: Currency;
}

/** Copies the terms out of an object that has more fields. */
export const termsOf = ({ price, currency, startsAt, endsAt, zone }: Terms): Terms => ({ price, currency, startsAt, endsAt, zone });

/** How a booking can end, seen from the request. */
export type BookingOutcome = 'completed' | 'cancelled' | 'provider_dropped' | 'released' | 'no_show' | 'payment_failed';
