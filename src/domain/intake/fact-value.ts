import { currencies, formatMoney, type Currency, type Money } from '../money.ts';

/** The window in which the job may start: two instants (RFC 3339) and the IANA zone in which people read them. */
export interface TimeWindow {
  from: string;
  to: string;
  zone: string;
}

/** A place: its name, coordinates in degrees (WGS 84), IANA zone, and the street address if known. */
export interface Location {
  place: string;
  lat: number;
  lon: number;
  zone: string;
  address?: string;
}

/** A wider window would not say when the person wants the job. */
const MAX_WINDOW_DAYS = 31;
const DAY_MS = 86_400_000;
/** Bounds of an instant, in milliseconds since the epoch. Outside the years 1 to 9999, Postgres and RFC 3339 write years differently. */
const YEAR_1970 = 0;
const YEAR_10000 = Date.UTC(10_000, 0);

const instantShape = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
/** The shape of an IANA name. The API checks that the zone exists (src/contracts/common.ts). */
const zoneShape = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;
/** The characters that Postgres or a log cannot store. */
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const onlyKeys = (value: Record<string, unknown>, keys: readonly string[]) => Object.keys(value).every((key) => keys.includes(key));
const isCoordinate = (value: unknown, bound: number): value is number => typeof value === 'number' && Math.abs(value) <= bound;
const isInteger = (value: unknown, min: number, max: number): value is number =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max;

/** The reason for refusing a value, as words that name the allowed values (`must be …`). Undefined: the value is valid. */
export type Fault = string | undefined;

export const codeFault = (value: unknown, codes: readonly string[]): Fault =>
  codes.includes(value as string) ? undefined : `must be one of ${codes.join(', ')}`;

export const integerFault = (value: unknown, min: number, max: number): Fault =>
  isInteger(value, min, max) ? undefined : `must be a whole number from ${min} to ${max}`;

export function textFault(value: unknown, min: number, max: number): Fault {
  if (typeof value !== 'string' || value.trim().length < min || value.length > max) return `must be a text of ${min} to ${max} characters`;
  return controls.test(value) ? 'must not contain control characters' : undefined;
}

export function windowFault(value: unknown): Fault {
  if (!isObject(value) || !onlyKeys(value, ['from', 'to', 'zone'])) return 'must have from, to and zone';
  const { from, to, zone } = value as Partial<Record<keyof TimeWindow, unknown>>;
  const [start, end] = [from, to].map((at) => (typeof at === 'string' && instantShape.test(at) ? Date.parse(at) : Number.NaN)) as [
    number,
    number,
  ];
  if (Number.isNaN(start) || Number.isNaN(end)) return 'must have from and to as RFC 3339 instants';
  if (typeof zone !== 'string' || zone.length > 64 || !zoneShape.test(zone)) return 'must have an IANA time zone';
  if (start >= end) return 'must end after it begins';
  if (start < YEAR_1970 || end >= YEAR_10000) return 'must lie between 1970 and 9999';
  return end - start > MAX_WINDOW_DAYS * DAY_MS ? `must not be longer than ${MAX_WINDOW_DAYS} days` : undefined;
}

export function placeFault(value: unknown): Fault {
  if (!isObject(value) || !onlyKeys(value, ['place', 'lat', 'lon', 'zone', 'address'])) return 'must have place, lat, lon and zone';
  const { place, lat, lon, zone, address } = value as Partial<Record<keyof Location, unknown>>;
  if (textFault(place, 1, 120)) return 'must name a place in 1 to 120 characters';
  if (!isCoordinate(lat, 90) || !isCoordinate(lon, 180)) return 'must have lat from -90 to 90 and lon from -180 to 180';
  if (typeof zone !== 'string' || zone.length > 64 || !zoneShape.test(zone)) return 'must have an IANA time zone';
  return address !== undefined && textFault(address, 1, 300) ? 'must have an address of 1 to 300 characters' : undefined;
}

/** Prices of a service, `min` in minor units. A budget below the minimum is refused. */
export interface Priced {
  currency: Currency;
  priceCents: { min: number };
}

export function budgetFault(value: unknown, service: Priced | undefined): Fault {
  if (!isObject(value) || !onlyKeys(value, ['amount', 'currency'])) return 'must have amount and currency';
  const { amount, currency } = value as Partial<Record<keyof Money, unknown>>;
  const known = service ? [service.currency] : currencies;
  if (!known.includes(currency as Money['currency'])) return `must be in ${known.join(' or ')}`;
  if (!isInteger(amount, 1, 100_000_000)) return 'must be a positive amount in minor units';
  if (!service || amount >= service.priceCents.min) return undefined;
  return `must be at least ${formatMoney({ amount: service.priceCents.min, currency: service.currency })}, the lowest price of this service`;
}
