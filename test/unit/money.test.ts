import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addMoney, currencies, currencyDigits, formatMoney, money, shareOf } from '../../src/domain/money.ts';

const currency = fc.constantFrom(...currencies);
const amount = fc.integer({ min: 0, max: 1_000_000_000 });
const refused = expect.objectContaining({ code: 'validation_failed' });

describe('an amount of money', () => {
  it('is a whole number of minor units, from nothing to what a double holds exactly', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), currency, (units, code) => expect(money(units, code)).toEqual({ amount: units, currency: code })),
    );
  });

  it('given a fraction, a negative, or no number at all, it is refused', () => {
    const fraction = fc.double({ noNaN: true }).filter((value) => !Number.isInteger(value));
    const negative = fc.integer({ max: -1 });
    const odd = fc.constantFrom(
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.MAX_SAFE_INTEGER + 1,
      '5' as unknown as number,
    );
    fc.assert(fc.property(fc.oneof(fraction, negative, odd), currency, (value, code) => expect(() => money(value, code)).toThrow(refused)));
  });
});

describe('adding', () => {
  it('is commutative, and nothing changes nothing', () => {
    fc.assert(
      fc.property(amount, amount, currency, (a, b, code) => {
        expect(addMoney(money(a, code), money(b, code))).toEqual(addMoney(money(b, code), money(a, code)));
        expect(addMoney(money(a, code), money(0, code))).toEqual(money(a, code));
      }),
    );
  });

  it('given two currencies, it is refused', () => {
    expect(() => addMoney(money(1, 'USD'), money(1, 'JPY'))).toThrow(refused);
  });

  it('given a sum beyond exact numbers, it is refused rather than rounded', () => {
    expect(() => addMoney(money(Number.MAX_SAFE_INTEGER, 'USD'), money(1, 'USD'))).toThrow(refused);
  });
});

describe('a share', () => {
  const split = fc.integer({ min: 1, max: 10_000 }).chain((whole) => fc.tuple(fc.integer({ min: 0, max: whole }), fc.constant(whole)));

  it('never exceeds the amount, is never negative, and is at most half a unit from the exact value', () => {
    fc.assert(
      fc.property(amount, currency, split, (units, code, [part, whole]) => {
        const share = shareOf(money(units, code), part, whole);
        expect(share.currency).toBe(code);
        expect(share.amount).toBeGreaterThanOrEqual(0);
        expect(share.amount).toBeLessThanOrEqual(units);
        // In integers, so that the oracle does not round: |share − units·part/whole| ≤ ½
        const twiceTheError = 2n * (BigInt(share.amount) * BigInt(whole) - BigInt(units) * BigInt(part));
        expect(twiceTheError <= BigInt(whole) && -twiceTheError <= BigInt(whole)).toBe(true);
      }),
    );
  });

  it('and the rest together differ from the amount by at most one unit', () => {
    fc.assert(
      fc.property(amount, currency, split, (units, code, [part, whole]) => {
        const sum = addMoney(shareOf(money(units, code), part, whole), shareOf(money(units, code), whole - part, whole));
        expect(Math.abs(sum.amount - units)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('grows with the part', () => {
    fc.assert(
      fc.property(amount, fc.integer({ min: 1, max: 1000 }), (units, whole) => {
        for (let part = 1; part <= Math.min(whole, 20); part++) {
          expect(shareOf(money(units, 'EUR'), part, whole).amount).toBeGreaterThanOrEqual(
            shareOf(money(units, 'EUR'), part - 1, whole).amount,
          );
        }
      }),
    );
  });

  it.each([
    [5, 1, 2, 3],
    [4, 1, 2, 2],
    [1, 1, 3, 0],
    [100, 1, 3, 33],
    [0, 1, 2, 0],
    [999, 1, 1, 999],
  ])('of %i, %i/%i is %i: halves round up', (units, part, whole, share) => {
    expect(shareOf(money(units, 'USD'), part, whole)).toEqual(money(share, 'USD'));
  });
});

describe('writing money', () => {
  it.each([
    [12_345, 'USD', '123.45 USD'],
    [5, 'USD', '0.05 USD'],
    [0, 'EUR', '0.00 EUR'],
    [100, 'EUR', '1.00 EUR'],
    [500, 'JPY', '500 JPY'],
    [0, 'JPY', '0 JPY'],
  ] as const)('%i %s is %s', (units, code, text) => {
    expect(formatMoney(money(units, code))).toBe(text);
  });

  it('loses nothing: the text reads back to the same units', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), currency, (units, code) => {
        const text = formatMoney(money(units, code));
        expect(text).toMatch(currencyDigits[code] === 0 ? /^\d+ [A-Z]{3}$/ : /^\d+\.\d{2} [A-Z]{3}$/);
        expect(BigInt(text.replace(/[^\d]/g, ''))).toBe(BigInt(units));
      }),
    );
  });
});
