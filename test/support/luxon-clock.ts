// Zone rules from another library: the oracle for src/domain/calendar/local-time.ts.
import { DateTime, IANAZone } from 'luxon';
import { minute } from './calendar.ts';

const hour = 60 * minute;

/** The local time of an instant, as `2026-03-08T03:30`. */
export const shownAt = (at: number, zone: string): string =>
  new Date(at + IANAZone.create(zone).offset(at) * minute).toISOString().slice(0, 16);

/** Every change of a zone's offset in `[from, to)`, exact to the minute. Epoch milliseconds. */
export function transitions(zone: string, from: number, to: number): number[] {
  const offset = (at: number) => IANAZone.create(zone).offset(at);
  const found: number[] = [];
  for (let at = from, last = offset(from); at < to; at += 24 * hour) {
    let [before, after] = [at, at + 24 * hour];
    const next = offset(after);
    if (next === last) continue;
    while (after - before > minute) {
      const middle = before + Math.floor((after - before) / 2 / minute) * minute;
      if (offset(middle) === last) before = middle;
      else after = middle;
    }
    found.push(after);
    last = next;
  }
  return found;
}

/** The instants at which a clock shows this time: none in a gap, two in an overlap. Epoch milliseconds. */
export function instantsOf(local: string, zone: string): number[] {
  const read = DateTime.fromISO(local, { zone });
  if (shownAt(read.toMillis(), zone) !== local) return [];
  return read
    .getPossibleOffsets()
    .map((possible) => possible.toMillis())
    .sort((a, b) => a - b);
}
