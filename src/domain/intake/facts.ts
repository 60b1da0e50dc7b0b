import { factOf, factsOf, findService, servicesOf, type Catalogue, type FactSpec, type ServiceSpec } from './catalogue.ts';
import { DomainError } from '../errors.ts';
import { kindOf, type FactContext } from './fact-kind.ts';

/** Facts by key, as stored: each value has passed `checkFact`. */
export type FactValues = Readonly<Record<string, unknown>>;

/** Builds the input of a kind's functions for one fact. */
export const contextOf = (catalogue: Catalogue, service: ServiceSpec | undefined, fact: FactSpec): FactContext => ({
  fact,
  services: servicesOf(catalogue),
  service,
});

/** The reason why this fact cannot have this value, as words that name the allowed values; undefined when the value is valid. */
export const faultOf = (catalogue: Catalogue, service: ServiceSpec | undefined, fact: FactSpec, value: unknown): string | undefined =>
  kindOf(fact.kind).fault(value, contextOf(catalogue, service, fact));

/**
 * Checks one fact and returns its value unchanged.
 * @param serviceCode undefined while the service is undecided: then only the universal facts exist
 * @throws validation_failed with the field and the allowed values
 */
export function checkFact(catalogue: Catalogue, serviceCode: string | undefined, key: string, value: unknown): unknown {
  const service = serviceCode === undefined ? undefined : findService(catalogue, serviceCode);
  const fact = factOf(service, key);
  const message = fact
    ? faultOf(catalogue, service, fact, value)
    : `must be one of ${factsOf(service)
        .map((known) => known.key)
        .join(', ')}`;
  if (message === undefined) return value;
  throw new DomainError('validation_failed', `${fact?.label ?? 'This fact'} ${message}.`, {
    fields: [{ field: `/facts/${key}`, message }],
  });
}

/**
 * Checks the facts of a structured request and returns them unchanged. `facts['service']` decides which facts exist.
 * @throws validation_failed with every fault, not just the first
 */
export function checkFacts(catalogue: Catalogue, facts: FactValues): FactValues {
  const service = typeof facts['service'] === 'string' ? findService(catalogue, facts['service']) : undefined;
  const fields = Object.entries(facts).flatMap(([key, value]) => {
    const fact = factOf(service, key);
    const message = fact
      ? faultOf(catalogue, service, fact, value)
      : `is not a fact of this service; known are ${factsOf(service)
          .map((known) => known.key)
          .join(', ')}`;
    return message === undefined ? [] : [{ field: `/facts/${key}`, message }];
  });
  if (fields.length > 0) throw new DomainError('validation_failed', 'Some facts are not valid.', { fields });
  return facts;
}
