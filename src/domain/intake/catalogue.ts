import { DomainError } from '../errors.ts';
import type { Currency } from '../money.ts';
import { factKinds, kindOf, type FactDetail, type FactKind } from './fact-kind.ts';

export type { Choice } from './fact-kind.ts';
export type { Location, TimeWindow } from './fact-value.ts';

/** One thing worth knowing before providers are asked. */
export interface FactSpec extends FactDetail {
  key: string;
  kind: FactKind;
}

/** The proof a provider needs before a service may be offered. */
export interface LicenceRule {
  kind: 'licence';
  name: string;
}

export interface ServiceSpec {
  code: string;
  category: string;
  name: string;
  /** Phrases that mean this service. The longest match wins, so `deep clean` beats `clean`. */
  words: readonly string[];
  requiredFacts: readonly string[];
  optionalFacts: readonly string[];
  /** The service's own facts; the universal ones are in `universalFacts`. */
  facts: readonly FactSpec[];
  specialisations: readonly string[];
  durationMinutes: { min: number; max: number; usual: number };
  priceCents: { min: number; max: number };
  currency: Currency;
  /** Photos a provider must show before they may enroll for it. */
  minPortfolioPhotos: number;
  licence: LicenceRule | null;
}

export interface Category {
  code: string;
  name: string;
  /** Words that name the trade but not the service: `plumber`. */
  words: readonly string[];
  services: readonly ServiceSpec[];
}

export interface Catalogue {
  version: number;
  categories: readonly Category[];
}

/** Facts of every service. `when` is asked last, because it is read in the zone of `location`. */
export const universalFacts: readonly FactSpec[] = [
  { key: 'service', kind: 'service', label: 'Service', question: 'What do you need?' },
  { key: 'location', kind: 'place', label: 'Place', question: 'Where should it take place? A city or neighbourhood is enough.' },
  { key: 'when', kind: 'window', label: 'Time', question: 'When would suit you?' },
  { key: 'budget', kind: 'money', label: 'Budget', question: 'What is the most you would like to spend?', words: ['budget', 'price'] },
  {
    key: 'notes',
    kind: 'text',
    label: 'Notes',
    question: 'Is there anything the provider should know?',
    min: 1,
    max: 1000,
    words: ['note'],
  },
];

export const servicesOf = (catalogue: Catalogue): ServiceSpec[] => catalogue.categories.flatMap((category) => category.services);

/** The service, or undefined for a code that this version does not know. */
export const findService = (catalogue: Catalogue, code: unknown): ServiceSpec | undefined =>
  servicesOf(catalogue).find((service) => service.code === code);

/** @throws validation_failed naming the codes that exist */
export function serviceOf(catalogue: Catalogue, code: string): ServiceSpec {
  const service = findService(catalogue, code);
  if (service) return service;
  const message = `must be one of ${servicesOf(catalogue)
    .map(({ code: known }) => known)
    .join(', ')}`;
  throw new DomainError('validation_failed', `There is no such service.`, { fields: [{ field: '/service', message }] });
}

/** Every fact that may be known about a request for this service; only the universal ones while it is undecided. */
export const factsOf = (service: ServiceSpec | undefined): FactSpec[] => [...universalFacts, ...(service?.facts ?? [])];

export const factOf = (service: ServiceSpec | undefined, key: string): FactSpec | undefined =>
  factsOf(service).find((fact) => fact.key === key);

/** Keys without which no draft exists, in the order in which they are asked. */
export const requiredKeys = (service: ServiceSpec | undefined): string[] => [
  'service',
  ...(service?.requiredFacts ?? []),
  'location',
  'when',
];

/** Every fact key of any service: what a model may name at all. */
export const allFactKeys = (catalogue: Catalogue): string[] => [
  ...new Set([...universalFacts, ...servicesOf(catalogue).flatMap((service) => service.facts)].map(({ key }) => key)),
];

const distinct = (values: readonly string[]) => new Set(values).size === values.length;

/**
 * Refuses a catalogue that would break intake or matching: unknown required facts, bounds the wrong way round, codes used twice.
 * Operators edit the catalogue, so this runs on data as well as on the seed.
 * @throws validation_failed
 */
export function checkCatalogue(catalogue: Catalogue): Catalogue {
  const fields: { field: string; message: string }[] = [];
  const refuse = (field: string, message: string) => fields.push({ field, message });
  const services = servicesOf(catalogue);
  if (!Number.isInteger(catalogue.version) || catalogue.version < 1) refuse('/version', 'must be a whole number from 1');
  if (services.length === 0) refuse('/categories', 'must offer at least one service');
  if (!distinct(services.map(({ code }) => code))) refuse('/categories', 'must not use a service code twice');
  for (const service of services) checkService(service, (field, message) => refuse(`/services/${service.code}${field}`, message));
  for (const { code, services: own } of catalogue.categories) {
    if (own.some(({ category }) => category !== code)) refuse(`/categories/${code}`, 'must contain only its own services');
  }
  if (fields.length > 0) throw new DomainError('validation_failed', 'The catalogue is not valid.', { fields });
  return catalogue;
}

function checkService(service: ServiceSpec, refuse: (field: string, message: string) => void): void {
  const { durationMinutes: duration, priceCents: price, facts, requiredFacts, optionalFacts } = service;
  if (!(duration.min > 0 && duration.min <= duration.usual && duration.usual <= duration.max))
    refuse('/durationMinutes', 'must be min ≤ usual ≤ max');
  if (!(price.min >= 0 && price.min <= price.max)) refuse('/priceCents', 'must be min ≤ max');
  const own = facts.map(({ key }) => key);
  const listed = [...requiredFacts, ...optionalFacts];
  if (!distinct(own) || own.some((key) => universalFacts.some((fact) => fact.key === key))) refuse('/facts', 'must have keys of their own');
  if (!distinct(listed) || listed.length !== own.length || !own.every((key) => listed.includes(key))) {
    refuse('/facts', 'must each be either required or optional');
  }
  for (const fact of facts) {
    const fault = Object.hasOwn(factKinds, fact.kind)
      ? kindOf(fact.kind).detailFault?.(fact)
      : `must be of one of the kinds ${Object.keys(factKinds).join(', ')}`;
    if (fault) refuse(`/facts/${fact.key}`, fault);
  }
}
