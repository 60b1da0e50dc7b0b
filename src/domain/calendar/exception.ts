// Rules for dated exceptions of a provider's weekly hours.
import { dayNumber, openMinutes, weekdayOf, type DatedException, type WeeklyRule } from './availability.ts';
import { dayMs } from './local-time.ts';

/**
 * `days`: most days in one exception. `aheadDays`: how far ahead its last day may lie. `count`: most exceptions of one provider that are
 * not over yet.
 */
export const exceptionLimits = { days: 366, aheadDays: 1_096, count: 500 } as const;

interface Surroundings {
  /** Today's date in the provider's zone. */
  today: string;
  rules: WeeklyRule[];
  /** The provider's other exceptions that are not over yet. */
  others: readonly DatedException[];
}

/**
 * The faults of an exception, by field. A closure may overlap anything. Extra hours may overlap no other hours on any of their days; the
 * weekly hours of a closed day do not count.
 */
export function exceptionFaults(exception: DatedException, { today, rules, others }: Surroundings): { field: string; message: string }[] {
  const { fromDate, toDate, kind, startMinute, endMinute } = exception;
  const [first, last] = [dayNumber(fromDate), dayNumber(toDate)];
  const { days, aheadDays, count } = exceptionLimits;
  if (first > last) return [{ field: '/toDate', message: 'must not be before fromDate' }];
  if (last - first >= days) return [{ field: '/toDate', message: `at most ${days} days at once` }];
  if (toDate < today) return [{ field: '/toDate', message: `is over: today is ${today} in your zone` }];
  if (last > dayNumber(today) + aheadDays) return [{ field: '/toDate', message: `at most ${aheadDays} days ahead` }];
  if (others.length >= count) return [{ field: '', message: `at most ${count} at a time: remove some first` }];
  if (kind === 'closed') return [];
  if (startMinute! >= endMinute!) return [{ field: '/endMinute', message: 'must be after startMinute' }];
  for (let day = Math.max(first, dayNumber(today)); day <= last; day += 1) {
    const thatDay = others.filter((other) => dayNumber(other.fromDate) <= day && day <= dayNumber(other.toDate));
    const clash = openMinutes({ rules }, thatDay, weekdayOf(day)).find(
      (open) => open.startMinute < endMinute! && startMinute! < open.endMinute,
    );
    if (clash) {
      const date = new Date(day * dayMs).toISOString().slice(0, 10);
      return [{ field: '/startMinute', message: `overlaps your hours on ${date}: choose others, or close that day first` }];
    }
  }
  return [];
}
