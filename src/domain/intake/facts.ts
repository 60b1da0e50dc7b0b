import { factOf, factsOf, findService, servicesOf, type Catalogue, type FactSpec, type ServiceSpec } from './catalogue.ts';
import { DomainError } from '../errors.ts';
import { kindOf, type FactContext } from './fact-kind.ts';

/** Facts by key, as stored: each value has passed `checkFact`. */
export type FactValues = Readonly<Record<string, unknown>>;

/** What the kind of a fact may look at. */
export const contextOf = (catalogue: Catalogue, service: ServiceSpec | undefined, fact: FactSpec): FactContext => ({
  fact,
  services: servicesOf(catalogue),
  service,
});

/** Why a value cannot be this fact, in words that name what is allowed; undefined when it can. */
export const faultOf = (catalogue: Catalogue, service: ServiceSpec | undefined, fact: FactSpec, value: unknown): string | undefined =>
  kindOf(fact.kind).fault(value, contextOf(catalogue, service, fact));

/**
 * The value, when it may be this fact of this service.
 * @throws validation_failed naming the field and what is allowed
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
 * Checks several facts at once (a structured request) and tells every fault, not just the first.
 * @throws validation_failed
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
