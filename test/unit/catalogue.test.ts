import { describe, expect, it } from '@jest/globals';
import { checkFact, checkFacts } from '../../src/domain/intake/facts.ts';
import { checkCatalogue, factsOf, requiredKeys, serviceOf, servicesOf, type Catalogue } from '../../src/domain/intake/catalogue.ts';
import { seedCatalogue as catalogue } from '../../src/domain/intake/catalogue-seed.ts';
import { DomainError } from '../../src/domain/errors.ts';

const refusal = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    if (error instanceof DomainError)
      return { code: error.code, field: error.detail.fields?.[0]?.field, message: error.detail.fields?.[0]?.message };
    throw error;
  }
  return undefined;
};

const when = { from: '2026-12-01T15:00:00Z', to: '2026-12-01T17:00:00Z', zone: 'America/New_York' };
const location = { place: 'Brooklyn', lat: 40.6, lon: -73.9, zone: 'America/New_York' };

describe('the seeded catalogue', () => {
  it('is valid', () => {
    expect(checkCatalogue(catalogue)).toBe(catalogue);
  });

  it('prices the five trades in dollars', () => {
    expect(
      servicesOf(catalogue).map(({ code, priceCents: { min, max }, currency }) => `${code} ${min / 100}–${max / 100} ${currency}`),
    ).toEqual([
      'hair.cut 30–100 USD',
      'hair.color 80–300 USD',
      'cleaning.standard 80–200 USD',
      'cleaning.deep 150–400 USD',
      'plumbing.leak 100–500 USD',
      'plumbing.water_heater 200–1000 USD',
      'electrical.lighting 150–600 USD',
      'photo.portrait 100–500 USD',
      'photo.event 300–2000 USD',
    ]);
  });

  it('asks for a licence exactly where the law does, and for photos where looks are sold', () => {
    for (const { category, licence, minPortfolioPhotos } of servicesOf(catalogue)) {
      expect(licence !== null).toBe(category === 'plumbing' || category === 'electrical');
      expect(minPortfolioPhotos).toBe(category === 'hair' ? 1 : category === 'photo' ? 3 : 0);
    }
  });

  it('never asks more than two questions of its own', () => {
    for (const service of servicesOf(catalogue)) expect(service.requiredFacts.length).toBeLessThanOrEqual(2);
  });

  it('asks for the place before the time, because the time is read in its zone', () => {
    expect(requiredKeys(serviceOf(catalogue, 'hair.cut'))).toEqual(['service', 'hair_length', 'location', 'when']);
  });

  it('given a code that does not exist, the refusal names those that do', () => {
    expect(refusal(() => serviceOf(catalogue, 'law.divorce'))).toMatchObject({
      code: 'validation_failed',
      field: '/service',
      message: expect.stringContaining('hair.cut'),
    });
  });
});

describe('checking a fact', () => {
  it.each([
    ['hair.cut', 'hair_length', 'long'],
    ['hair.cut', 'wash', false],
    ['cleaning.standard', 'bedrooms', 0],
    ['hair.cut', 'when', when],
    ['hair.cut', 'location', location],
    ['hair.cut', 'location', { ...location, address: '12 Main Street' }],
    ['hair.cut', 'budget', { amount: 6000, currency: 'USD' }],
    ['hair.cut', 'notes', 'Ring twice.'],
    [undefined, 'service', 'hair.cut'],
    [undefined, 'budget', { amount: 500, currency: 'JPY' }],
  ])('%s accepts %s', (service, key, value) => {
    expect(checkFact(catalogue, service, key, value)).toBe(value);
  });

  it.each([
    ['hair.cut', 'hair_length', 'huge', 'must be one of short, medium, long'],
    ['hair.cut', 'wash', 'yes', 'must be true or false'],
    ['cleaning.standard', 'bedrooms', 2.5, 'must be a whole number from 0 to 12'],
    ['cleaning.standard', 'bedrooms', -1, 'must be a whole number from 0 to 12'],
    ['cleaning.standard', 'bedrooms', '2', 'must be a whole number from 0 to 12'],
    ['hair.cut', 'when', 'tomorrow', 'must have from, to and zone'],
    ['hair.cut', 'when', { ...when, providerId: 'x' }, 'must have from, to and zone'],
    ['hair.cut', 'when', { ...when, to: when.from }, 'must end after it begins'],
    ['hair.cut', 'when', { ...when, from: '2026-12-01' }, 'must have from and to as RFC 3339 instants'],
    ['hair.cut', 'when', { ...when, to: '2027-12-01T17:00:00Z' }, 'must not be longer than 31 days'],
    ['hair.cut', 'when', { ...when, from: '0000-01-01T00:00:00Z', to: '0000-01-02T00:00:00Z' }, 'must lie between 1970 and 9999'],
    ['hair.cut', 'when', { ...when, from: '9999-12-31T00:00:00-12:00', to: '9999-12-31T23:59:59-12:00' }, 'must lie between 1970 and 9999'],
    ['hair.cut', 'when', { ...when, zone: 'New York; drop table' }, 'must have an IANA time zone'],
    ['hair.cut', 'location', { ...location, lat: 91 }, 'must have lat from -90 to 90 and lon from -180 to 180'],
    ['hair.cut', 'location', { ...location, lon: Number.NaN }, 'must have lat from -90 to 90 and lon from -180 to 180'],
    ['hair.cut', 'budget', { amount: 60.5, currency: 'USD' }, 'must be a positive amount in minor units'],
    ['hair.cut', 'budget', { amount: -5, currency: 'USD' }, 'must be a positive amount in minor units'],
    ['hair.cut', 'budget', { amount: 6000, currency: 'EUR' }, 'must be in USD'],
    ['hair.cut', 'budget', { amount: 1000, currency: 'USD' }, 'must be at least 30.00 USD, the lowest price of this service'],
    ['hair.cut', 'notes', 'a\u0000b', 'must not contain control characters'],
    ['hair.cut', 'notes', '', 'must be a text of 1 to 1000 characters'],
    ['hair.cut', 'service', 'admin.tool', expect.stringContaining('must be one of hair.cut')],
    ['hair.cut', 'price', 1, expect.stringContaining('must be one of service, location')],
    ['hair.cut', 'bedrooms', 1, expect.stringContaining('hair_length')],
  ])('%s refuses %s = %j and says what is allowed', (service, key, value, message) => {
    expect(refusal(() => checkFact(catalogue, service, key, value))).toEqual({
      code: 'validation_failed',
      field: `/facts/${key}`,
      message,
    });
  });

  it('several wrong facts are all told at once', () => {
    expect(() => checkFacts(catalogue, { service: 'hair.cut', hair_length: 'x', bedrooms: 3 })).toThrow(
      expect.objectContaining({
        detail: {
          fields: [expect.objectContaining({ field: '/facts/hair_length' }), expect.objectContaining({ field: '/facts/bedrooms' })],
        },
      }),
    );
  });

  it.each(['constructor', '__proto__', 'toString'])('%s is no fact', (key) => {
    expect(refusal(() => checkFact(catalogue, 'hair.cut', key, 'x'))?.code).toBe('validation_failed');
  });
});

describe('a catalogue edited by an operator', () => {
  const edited = (change: (copy: any) => void): Catalogue => {
    const copy = structuredClone(catalogue) as Catalogue;
    change(copy);
    return copy;
  };

  it.each<[string, (copy: any) => void]>([
    ['a price range the wrong way round', (copy) => (copy.categories[0].services[0].priceCents = { min: 2, max: 1 })],
    ['a required fact without a specification', (copy) => copy.categories[0].services[0].requiredFacts.push('shoe_size')],
    ['a code used twice', (copy) => (copy.categories[0].services[1].code = 'hair.cut')],
    ['a service in the wrong category', (copy) => (copy.categories[0].services[0].category = 'photo')],
    ['a choice without choices', (copy) => (copy.categories[0].services[0].facts[0].choices = [])],
    ['a fact that shadows a universal one', (copy) => (copy.categories[0].services[0].facts[0].key = 'when')],
    ['no services', (copy) => (copy.categories = [])],
    ['no version', (copy) => (copy.version = 0)],
  ])('with %s is refused', (_what, change) => {
    expect(refusal(() => checkCatalogue(edited(change)))?.code).toBe('validation_failed');
  });

  it('every fact of every service has a question', () => {
    for (const service of servicesOf(catalogue)) for (const fact of factsOf(service)) expect(fact.question).toMatch(/[?.]$/);
  });
});
