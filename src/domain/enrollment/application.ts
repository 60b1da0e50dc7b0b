// An application to become a provider, and the catalogue's rules for it. Postgres keeps the application; the workflow sees a summary.
import { findService, servicesOf, type Catalogue } from '../intake/catalogue.ts';
import type { CredentialKind } from './machine.ts';
import { DomainError } from '../errors.ts';
import { formatMoney, type Money } from '../money.ts';
import type { ApplicationFault, ApplicationPart, ApplicationSummary, KnownParts } from './application-parts.ts';

/** A draft may lack any field. */
export interface ApplicationDetails {
  displayName?: string;
  bio?: string;
  zone?: string;
  location?: { lat: number; lon: number; place?: string };
  radiusKm?: number;
  services?: OfferedService[];
  availability?: WeeklyOpening[];
  credentials?: GivenCredential[];
  portfolio?: { url: string; caption?: string }[];
}

export interface OfferedService {
  code: string;
  price: Money;
  durationMinutes: number;
  specialisations?: string[];
}

/** Minutes count from local midnight. Weekdays are ISO: 1 is Monday. */
export interface WeeklyOpening {
  weekday: number;
  startMinute: number;
  endMinute: number;
}

export interface GivenCredential {
  kind: CredentialKind;
  category?: string;
  reference: string;
  validUntil?: string;
}

/** The name of a credential's check: `licence/plumbing`, or `insurance` without a category. */
export const checkOf = ({ kind, category }: Pick<GivenCredential, 'kind' | 'category'>): string =>
  category ? `${kind}/${category}` : kind;

type Fields = { field: string; message: string }[];

/**
 * Refuses values that no provider may have, also in an unfinished draft: unknown services and categories, prices and durations outside the
 * catalogue's bounds, openings that overlap.
 * @throws price_out_of_bounds when only prices are wrong, else validation_failed; both name every field
 */
export function checkApplication<D extends ApplicationDetails>(catalogue: Catalogue, details: D): D {
  const { services = [], availability = [], credentials = [] } = details;
  const prices: Fields = [];
  const others: Fields = [...overlaps(availability), ...unknownCategories(catalogue, credentials)];
  for (const [index, service] of services.entries()) {
    const wrong = offeredServiceFaults(catalogue, service, `/services/${index}`);
    prices.push(...wrong.prices);
    others.push(...wrong.others);
  }
  others.push(
    ...repeated(
      services.map(({ code }) => code),
      '/services',
    ),
    ...repeated(credentials.map(checkOf), '/credentials'),
  );
  if (others.length) throw new DomainError('validation_failed', undefined, { fields: [...others, ...prices] });
  if (prices.length) throw new DomainError('price_out_of_bounds', undefined, { fields: prices });
  return details;
}

/** The faults of one offered service. @param at JSON pointer to the service */
export function offeredServiceFaults(catalogue: Catalogue, offered: OfferedService, at: string): { prices: Fields; others: Fields } {
  const service = findService(catalogue, offered.code);
  if (!service) {
    const codes = servicesOf(catalogue).map(({ code }) => code);
    return { prices: [], others: [{ field: `${at}/code`, message: `must be one of ${codes.join(', ')}` }] };
  }
  const { priceCents, currency, durationMinutes: duration, specialisations } = service;
  const prices: Fields = [];
  const others: Fields = [];
  const bounds = [priceCents.min, priceCents.max].map((amount) => formatMoney({ amount, currency })).join(' to ');
  if (offered.price.currency !== currency) others.push({ field: `${at}/price/currency`, message: `must be ${currency}` });
  else if (offered.price.amount < priceCents.min || offered.price.amount > priceCents.max)
    prices.push({ field: `${at}/price/amount`, message: `must be ${bounds}` });
  if (offered.durationMinutes < duration.min || offered.durationMinutes > duration.max) {
    others.push({ field: `${at}/durationMinutes`, message: `must be ${duration.min} to ${duration.max}` });
  }
  const unknown = (offered.specialisations ?? []).some((name) => !specialisations.includes(name));
  if (unknown) others.push({ field: `${at}/specialisations`, message: `may contain ${specialisations.join(', ')}` });
  return { prices, others };
}

function unknownCategories({ categories }: Catalogue, credentials: readonly GivenCredential[]): Fields {
  const codes = categories.map(({ code }) => code);
  return credentials.flatMap(({ kind, category }, index) => {
    const field = `/credentials/${index}/category`;
    if (kind === 'licence' && category === undefined) return [{ field, message: 'a licence needs its category' }];
    return category === undefined || codes.includes(category) ? [] : [{ field, message: `must be one of ${codes.join(', ')}` }];
  });
}

/** Faults of a weekly schedule: openings that end before they begin, and openings of one weekday that overlap. */
export function overlaps(availability: readonly WeeklyOpening[]): Fields {
  return availability.flatMap((opening, index) => {
    const field = `/availability/${index}`;
    if (opening.startMinute >= opening.endMinute) return [{ field, message: 'must end after it begins' }];
    const clash = availability
      .slice(0, index)
      .some((other) => other.weekday === opening.weekday && other.startMinute < opening.endMinute && opening.startMinute < other.endMinute);
    return clash ? [{ field, message: 'overlaps another opening of that day' }] : [];
  });
}

const repeated = (keys: readonly string[], at: string): Fields =>
  keys.flatMap((key, index) => (keys.indexOf(key) < index ? [{ field: `${at}/${index}`, message: `${key} is there twice` }] : []));

const required = ['displayName', 'zone', 'location', 'radiusKm'] as const satisfies readonly ApplicationPart[];

/** The written parts as a run may know them: without names, reference numbers and texts. */
export function knownParts(catalogue: Catalogue, details: ApplicationDetails): KnownParts {
  const { services, availability, credentials, portfolio } = details;
  const written = Object.fromEntries(
    (['displayName', 'bio', 'zone', 'location', 'radiusKm'] as const)
      .filter((part) => details[part] !== undefined)
      .map((part) => [part, true]),
  );
  return {
    ...written,
    ...(services && { services: knownServices(catalogue, services) }),
    ...(availability && { availability: { openings: availability.length } }),
    ...(credentials && {
      credentials: credentials.map((credential) => ({ check: checkOf(credential), validUntil: credential.validUntil ?? null })),
    }),
    ...(portfolio && { portfolio: { photos: portfolio.length } }),
  };
}

function knownServices(catalogue: Catalogue, services: readonly OfferedService[]): NonNullable<KnownParts['services']> {
  const offered = services.flatMap(({ code }) => findService(catalogue, code) ?? []);
  const licensed = new Map(offered.flatMap(({ category, licence }) => (licence ? [[category, licence.name]] : [])));
  return {
    codes: services.map(({ code }) => code),
    licences: [...licensed].map(([category, name]) => ({ category, name })),
    minPhotos: Math.max(0, ...offered.map(({ minPortfolioPhotos }) => minPortfolioPhotos)),
  };
}

/** The services and credentials of an application, and the reasons why it cannot be submitted yet. */
export function summariseApplication(parts: KnownParts): ApplicationSummary {
  return { services: parts.services?.codes ?? [], faults: applicationFaults(parts), credentials: parts.credentials ?? [] };
}

function applicationFaults(parts: KnownParts): ApplicationFault[] {
  const { services, availability, credentials = [], portfolio } = parts;
  const missing = (field: string, message = 'required'): ApplicationFault => ({ code: 'draft_incomplete', field, message });
  const lacking = (services?.licences ?? []).filter(
    ({ category }) => !credentials.some(({ check }) => check === checkOf({ kind: 'licence', category })),
  );
  const photos = services?.minPhotos ?? 0;
  return [
    ...required.filter((part) => parts[part] === undefined).map((part) => missing(`/${part}`)),
    ...(services?.codes.length ? [] : [missing('/services', 'at least one')]),
    ...(availability?.openings ? [] : [missing('/availability', 'at least one weekly opening')]),
    ...lacking.map(({ category, name }) => missing('/credentials', `a licence for ${category}: ${name}`)),
    ...((portfolio?.photos ?? 0) < photos
      ? [{ code: 'portfolio_too_small' as const, field: '/portfolio', message: `at least ${photos} photos` }]
      : []),
  ];
}
