import { DomainError } from './errors.ts';

/** Digits behind the point of the currencies we serve (ISO 4217). */
export const currencyDigits = { USD: 2, EUR: 2, JPY: 0 } as const;
export type Currency = keyof typeof currencyDigits;
export const currencies = Object.keys(currencyDigits) as [Currency, ...Currency[]];

/** An amount in integer minor units (cents for USD, yen for JPY). */
export interface Money {
  amount: number;
  currency: Currency;
}

/** @param amount integer minor units @throws validation_failed for fractions, negative amounts and amounts above 2^53 - 1 */
export function money(amount: number, currency: Currency): Money {
  if (!Number.isSafeInteger(amount) || amount < 0) throw new DomainError('validation_failed', `${amount} is not an amount in minor units.`);
  return { amount, currency };
}

/** Same-currency sum. @throws validation_failed when currencies differ */
export function addMoney(a: Money, b: Money): Money {
  if (a.currency !== b.currency) throw new DomainError('validation_failed', `Cannot add ${a.currency} to ${b.currency}.`);
  return money(a.amount + b.amount, a.currency);
}

/** `numerator/denominator` of an amount, rounded half up. Two shares that make up the whole exceed the amount by at most one minor unit. */
export function shareOf({ amount, currency }: Money, numerator: number, denominator: number): Money {
  return money(Math.floor((amount * numerator * 2 + denominator) / (denominator * 2)), currency);
}

/** `12345 USD` → `123.45 USD`, `500 JPY` → `500 JPY`. No locale is used, so that logs and tests agree. */
export function formatMoney({ amount, currency }: Money): string {
  const digits = currencyDigits[currency];
  if (digits === 0) return `${amount} ${currency}`;
  const text = String(amount).padStart(digits + 1, '0');
  return `${text.slice(0, -digits)}.${text.slice(-digits)} ${currency}`;
}

/** A price as people write it: `$60`, `$60.50`. Other currencies stand as amount and code. */
export const formatPrice = (price: Money): string =>
  price.currency === 'USD' ? `$${formatMoney(price).replace(' USD', '').replace(/\.00$/, '')}` : formatMoney(price);
