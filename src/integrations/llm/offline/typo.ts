/** Number of edits between two words: insert, delete, replace, swap neighbours. Lengths that differ by more give `limit + 1`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_item, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + Number(a[i - 1] !== b[j - 1]), swapped));
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}

/** Words that differ by one letter from a service's word but mean something else. */
const innocent = new Set([
  'clear',
  'right',
  'night',
  'photos',
  'leave',
  'party',
  'later',
  'paper',
  'their',
  'there',
  'where',
  'hours',
  'house',
]);

/**
 * Whether `said` is `meant` with a typing error: one edit in words of 5 to 8 letters, two in longer words. The first letter must
 * be the same, because people rarely mistype it.
 */
export function near(said: string, meant: string): boolean {
  if (said === meant) return true;
  if (meant.length < 5 || said[0] !== meant[0] || innocent.has(said)) return false;
  const limit = meant.length < 9 ? 1 : 2;
  return distance(said, meant, limit) <= limit;
}
