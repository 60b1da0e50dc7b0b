// Starts of the occurrences of a series: the same wall-clock time every week or every two weeks, also after the clocks change.
import { DomainError, invalid } from '../errors.ts';
import { dayMs, instantOf, type LocalTime } from '../calendar/local-time.ts';
import { occurrenceCount } from './types.ts';

/** Has either `count` or `until`. `until` is the last day, included, e.g. `2027-01-31`. */
export interface Rhythm {
  everyWeeks: number;
  count?: number | undefined;
  until?: string | undefined;
}

/**
 * The instants at which the occurrences start, RFC 3339 UTC.
 * @throws validation_failed; local_time_gap when the clocks skip an occurrence's time: the refusal names the occurrence and the nearest
 * times that exist
 */
export function weeklyStarts(first: LocalTime, rhythm: Rhythm): string[] {
  instantOf(first, '/first/local');
  const wall = Date.parse(`${first.local}Z`);
  const stepMs = rhythm.everyWeeks * 7 * dayMs;
  return Array.from({ length: countOf(wall, stepMs, rhythm) }, (_, index) => {
    const local = new Date(wall + index * stepMs).toISOString().slice(0, first.local.length);
    return new Date(occurrenceAt({ ...first, local }, index + 1)).toISOString();
  });
}

function countOf(wall: number, stepMs: number, { count, until }: Rhythm): number {
  if (until === undefined && count !== undefined) return count;
  if (until === undefined || count !== undefined) throw invalid('/count', 'give either a count or a last day');
  const counted = Math.floor((Date.parse(until) + dayMs - 1 - wall) / stepMs) + 1;
  const { min, max } = occurrenceCount;
  if (!(counted >= min && counted <= max)) throw invalid('/until', `must leave room for ${min} to ${max} occurrences`);
  return counted;
}

function occurrenceAt(at: LocalTime, n: number): number {
  try {
    return instantOf(at, '/first/local');
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const fields = error.detail.fields?.map(({ field, message }) => ({ field, message: `occurrence ${n}, ${at.local}, ${message}` }));
    throw new DomainError(error.code, `Occurrence ${n}: ${error.message}`, { ...error.detail, ...(fields && { fields }) });
  }
}
