import { describe, expect, it } from '@jest/globals';
import { Application } from '../../src/contracts/enrollment.ts';
import { type ApplicationDetails, checkApplication, knownParts, summariseApplication } from '../../src/domain/enrollment/application.ts';
import { seedCatalogue } from '../../src/domain/intake/catalogue-seed.ts';
import { offlineVerification } from '../../src/integrations/verification.ts';

const plumber: ApplicationDetails = {
  displayName: 'Ana',
  zone: 'America/New_York',
  location: { lat: 40.7, lon: -74 },
  radiusKm: 20,
  services: [{ code: 'plumbing.leak', price: { amount: 15_000, currency: 'USD' }, durationMinutes: 60 }],
  availability: [{ weekday: 1, startMinute: 480, endMinute: 1020 }],
  credentials: [{ kind: 'licence', category: 'plumbing', reference: 'NY-12345', validUntil: '2030-01-01T00:00:00.000Z' }],
};
const photographer: ApplicationDetails = {
  ...plumber,
  services: [{ code: 'photo.portrait', price: { amount: 25_000, currency: 'USD' }, durationMinutes: 60 }],
  credentials: [],
};
const checked = (change: object) => checkApplication(seedCatalogue, { ...plumber, ...change });
const faultsOf = (details: ApplicationDetails) =>
  summariseApplication(knownParts(seedCatalogue, details)).faults.map(({ code, field }) => `${code} ${field}`);
const refused = (code: string, ...fields: string[]) =>
  expect.objectContaining({ code, detail: expect.objectContaining({ fields: fields.map((field) => expect.objectContaining({ field })) }) });

describe('values of an application', () => {
  it('a complete one is accepted as it is', () => expect(checkApplication(seedCatalogue, plumber)).toBe(plumber));
  it('an empty draft is accepted', () => expect(checkApplication(seedCatalogue, {})).toEqual({}));

  it.each([
    ['unknown services', { services: [{ ...plumber.services![0]!, code: 'plumbing.none' }] }, ['/services/0/code']],
    [
      'another currency',
      { services: [{ ...plumber.services![0]!, price: { amount: 15_000, currency: 'EUR' } }] },
      ['/services/0/price/currency'],
    ],
    ['durations outside the bounds', { services: [{ ...plumber.services![0]!, durationMinutes: 5 }] }, ['/services/0/durationMinutes']],
    ['unknown specialisations', { services: [{ ...plumber.services![0]!, specialisations: ['magic'] }] }, ['/services/0/specialisations']],
    ['a service twice', { services: [plumber.services![0]!, plumber.services![0]!] }, ['/services/1']],
    ['a licence without its category', { credentials: [{ kind: 'licence', reference: 'NY-1' }] }, ['/credentials/0/category']],
    [
      'overlapping openings',
      { availability: [...plumber.availability!, { weekday: 1, startMinute: 900, endMinute: 1100 }] },
      ['/availability/1'],
    ],
  ])('%s are refused and named', (_, change, fields) => {
    expect(() => checked(change)).toThrow(refused('validation_failed', ...fields));
  });

  it.each([1, 10_000_000])('a price of %i is outside the bounds of the service', (amount) => {
    expect(() => checked({ services: [{ ...plumber.services![0]!, price: { amount, currency: 'USD' } }] })).toThrow(
      refused('price_out_of_bounds', '/services/0/price/amount'),
    );
  });
});

describe('what an application lacks', () => {
  it('nothing, when it is complete', () => expect(faultsOf(plumber)).toEqual([]));

  it('given an empty draft, every part is named', () => {
    expect(faultsOf({})).toEqual(
      ['/displayName', '/zone', '/location', '/radiusKm', '/services', '/availability'].map((field) => `draft_incomplete ${field}`),
    );
  });

  it('given a licensed trade without a licence, it is named', () => {
    expect(faultsOf({ ...plumber, credentials: [{ kind: 'insurance', reference: 'A-1' }] })).toEqual(['draft_incomplete /credentials']);
    expect(faultsOf({ ...plumber, credentials: [{ ...plumber.credentials![0]!, category: 'electrical' }] })).toEqual([
      'draft_incomplete /credentials',
    ]);
  });

  it('given a trade that shows its work, three photos are the least', () => {
    const photos = (count: number) => Array.from({ length: count }, (_, n) => ({ url: `https://photos.example/${n}.jpg` }));
    expect(faultsOf({ ...photographer, portfolio: photos(2) })).toEqual(['portfolio_too_small /portfolio']);
    expect(faultsOf({ ...photographer, portfolio: photos(3) })).toEqual([]);
  });

  it('the summary for the workflow carries no name, number, place or text', () => {
    const text = JSON.stringify(knownParts(seedCatalogue, { ...plumber, bio: 'Ana of Main Street' }));
    for (const secret of ['Ana', 'NY-12345', '40.7', 'Main']) expect(text).not.toContain(secret);
  });
});

describe('the shape of an application', () => {
  it.each([
    ['javascript:alert(1)'],
    ['http://photos.example/1.jpg'],
    ['https://localhost/1.jpg'],
    [`https://photos.example/${'x'.repeat(500)}`],
  ])('%s is no photo', (url) => expect(Application.safeParse({ portfolio: [{ url }] }).success).toBe(false));

  it.each(['Mars/Olympus', '+01:00', ''])('%p is no time zone', (zone) => expect(Application.safeParse({ zone }).success).toBe(false));
  it('unknown fields are refused', () => expect(Application.safeParse({ status: 'approved' }).success).toBe(false));
  it('a draft may be empty', () => expect(Application.safeParse({}).success).toBe(true));
});

describe('the offline check', () => {
  const now = Date.parse('2026-06-01T12:00:00.000Z');
  const check = (reference: string, validUntil: string | null = null) =>
    offlineVerification(() => now).check({ key: 'k', kind: 'licence', category: 'plumbing', reference, validUntil });

  it.each(['NY-12345', 'ab 123/9', 'LIC1234'])('%p looks like a registration number', async (reference) =>
    expect(await check(reference)).toBe('passed'),
  );
  it.each(['', '1234', 'LICENCE', '-12345', 'NY_12345', '<b>12345'])('%p does not', async (reference) =>
    expect(await check(reference)).toBe('failed'),
  );
  it('what has run out has failed', async () => {
    expect(await check('NY-12345', '2026-06-01T12:00:00.000Z')).toBe('failed');
    expect(await check('NY-12345', '2026-06-01T12:00:00.001Z')).toBe('passed');
  });
});
