import { DomainError } from '../errors.ts';
import type { Currency } from '../money.ts';
import { factKinds, kindOf, type FactDetail, type FactKind } from './fact-kind.ts';

export type { Choice } from './fact-kind.ts';
export type { Location, TimeWindow } from './fact-value.ts';

/** A fact that Proxie asks for before it asks providers. */
export interface FactSpec extends FactDetail {
  key: string;
  kind: FactKind;
}

/** The proof that a provider needs before they may offer the service. */
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
  /** The service's own facts. Facts of every service are in `universalFacts`. */
  facts: readonly FactSpec[];
  specialisations: readonly string[];
  durationMinutes: { min: number; max: number; usual: number };
  priceCents: { min: number; max: number };
  currency: Currency;
  /** Number of photos that a provider must show before they may enroll for this service. */
  minPortfolioPhotos: number;
  licence: LicenceRule | null;
}

export interface Category {
  code: string;
  name: string;
  /** Words that name the trade but not the service, for example `plumber`. */
  words: readonly string[];
  services: readonly ServiceSpec[];
}

export interface Catalogue {
  version: number;
  categories: readonly Category[];
}

/** Facts of every service. `when` is asked after `location`, because a time is read in the zone of the place. */
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

/** The service with this code, or undefined when this version of the catalogue has none. */
export const findService = (catalogue: Catalogue, code: unknown): ServiceSpec | undefined =>
  servicesOf(catalogue).find((service) => service.code === code);

/** The service with this code. @throws validation_failed with the codes that exist */
export function serviceOf(catalogue: Catalogue, code: string): ServiceSpec {
  const service = findService(catalogue, code);
  if (service) return service;
  const message = `must be one of ${servicesOf(catalogue)
    .map(({ code: known }) => known)
    .join(', ')}`;
  throw new DomainError('validation_failed', `There is no such service.`, { fields: [{ field: '/service', message }] });
}

/** Every fact that a request for this service can have. While the service is undecided (undefined): only the universal facts. */
export const factsOf = (service: ServiceSpec | undefined): FactSpec[] => [...universalFacts, ...(service?.facts ?? [])];

export const factOf = (service: ServiceSpec | undefined, key: string): FactSpec | undefined =>
  factsOf(service).find((fact) => fact.key === key);

/** Keys of the facts that a draft needs, in the order in which they are asked. */
export const requiredKeys = (service: ServiceSpec | undefined): string[] => [
  'service',
  ...(service?.requiredFacts ?? []),
  'location',
  'when',
];

/** The fact keys of all services, each once. A model can name only these keys. */
export const allFactKeys = (catalogue: Catalogue): string[] => [
  ...new Set([...universalFacts, ...servicesOf(catalogue).flatMap((service) => service.facts)].map(({ key }) => key)),
];

const distinct = (values: readonly string[]) => new Set(values).size === values.length;

/**
 * Refuses a catalogue that would break intake or matching, for example one with unknown required facts, a minimum above its
 * maximum, or a service code used twice. The check runs at every read and write, because operators edit the stored catalogue.
 * @returns the same catalogue
 * @throws validation_failed with one entry per fault
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
