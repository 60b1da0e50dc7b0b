import { describe, expect, it } from '@jest/globals';
import type { DatedException } from '../../src/domain/calendar/availability.ts';
import { exceptionFaults, exceptionLimits } from '../../src/domain/calendar/exception.ts';
import { everyDay } from '../support/calendar.ts';

const today = '2026-06-01';
const rules = everyDay(540, 1020);
const closed = (fromDate: string, toDate = fromDate): DatedException => ({
  kind: 'closed',
  fromDate,
  toDate,
  startMinute: null,
  endMinute: null,
});
const extra = (startMinute: number, endMinute: number, fromDate = '2026-06-10', toDate = fromDate): DatedException => ({
  kind: 'extra',
  fromDate,
  toDate,
  startMinute,
  endMinute,
});
const faults = (exception: DatedException, others: DatedException[] = []) => exceptionFaults(exception, { today, rules, others });

describe('a dated exception', () => {
  it.each([
    ['a day', closed('2026-06-10'), []],
    ['today', closed(today), []],
    ['a vacation that has begun', closed('2026-05-20', '2026-06-10'), []],
    ['a vacation over another', closed('2026-06-01', '2026-06-30'), [closed('2026-06-10', '2026-07-10')]],
    ['a year', closed('2026-06-01', '2027-06-01'), []],
    ['early and late hours', extra(0, 540), [extra(1020, 1440)]],
    ['hours on a day that is closed', extra(600, 660), [closed('2026-06-09', '2026-06-11')]],
    ['the same hours on other days', extra(0, 60), [extra(0, 60, '2026-06-11')]],
  ])('may be %s', (_what, exception, others) => {
    expect(faults(exception, others)).toEqual([]);
  });

  it.each([
    ['that ends before it begins', closed('2026-06-10', '2026-06-09'), [], '/toDate'],
    ['of more than a year', closed('2026-06-01', '2027-06-02'), [], '/toDate'],
    ['that is over', closed('2026-05-31'), [], '/toDate'],
    ['in the year 9999', closed('9999-12-31'), [], '/toDate'],
    ['three years ahead', closed('2026-06-10', '2026-06-10'.replace('2026', '2029')), [], '/toDate'],
    ['whose hours end before they begin', extra(600, 600), [], '/endMinute'],
    ['with hours that are open anyway', extra(1000, 1080), [], '/startMinute'],
    ['that repeats other extra hours', extra(0, 60), [extra(30, 90)], '/startMinute'],
    [
      'that overlaps on its last day only',
      extra(600, 660, '2026-06-10', '2026-06-12'),
      [closed('2026-06-10', '2026-06-11')],
      '/startMinute',
    ],
  ])('%s is refused', (_what, exception, others, field) => {
    expect(faults(exception, others)).toMatchObject([{ field }]);
  });

  it('names the day on which hours overlap', () => {
    expect(faults(extra(600, 660, '2026-06-10', '2026-06-12'), [closed('2026-06-10', '2026-06-11')])[0]!.message).toContain('2026-06-12');
  });

  it('given as many as there may be, one more is refused', () => {
    const others = Array.from({ length: exceptionLimits.count }, () => closed('2026-06-10'));
    expect(faults(closed('2026-06-20'), others.slice(1))).toEqual([]);
    expect(faults(closed('2026-06-20'), others)).toMatchObject([{ field: '' }]);
  });
});
