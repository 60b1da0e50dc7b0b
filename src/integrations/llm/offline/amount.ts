import type { Money } from '../../../domain/money.ts';

const smallNumbers = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];
const numberWord = smallNumbers.join('|');

/** The first whole number in a text: digits, or words up to twelve. */
export function readInteger(text: string): number | undefined {
  const match = new RegExp(`(?<![\\d.,:$-])\\b(?:(\\d{1,6})(?![\\d:]|[.,]\\d)|(${numberWord})\\b)`).exec(text.toLowerCase());
  if (!match) return undefined;
  return match[1] === undefined ? smallNumbers.indexOf(match[2]!) : Number(match[1]);
}

const between = String.raw`\s*-?\s*(?:(?!(?:my|the|an?|in|at|on|am|pm|and|to|or|for|of|with|tomorrow|today)\b)[a-z-]+ )?`;

/** The count of one of these words: `3 bedrooms`, `two-bedroom`, `a lamp`. `in 2 hours` is a time and not a count. */
export function countOf(text: string, words: readonly string[]): { count: number; match: string } | undefined {
  const nouns = [...words]
    .sort((a, b) => b.length - a.length)
    .map((word) => word.replaceAll(' ', String.raw`\s+`))
    .join('|');
  const match = new RegExp(`(?<!\\b(?:in|within) )(?<![\\d:.$/])\\b(?:(\\d{1,4})|(${numberWord}|an?))${between}(?:${nouns})s?\\b`).exec(
    text.toLowerCase(),
  );
  if (!match) return undefined;
  const word = match[2];
  const count = word === undefined ? Number(match[1]) : word === 'a' || word === 'an' ? 1 : smallNumbers.indexOf(word);
  return { count, match: match[0] };
}

const figure = String.raw`(-?\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|-?\d{1,7}(?:\.\d{1,2})?)\s?(k\b)?`;
const unit = String.raw`(?:dollars?|bucks?|usd|us\$)`;
const spread = new RegExp(
  String.raw`(?:\$|usd)?\s?${figure}\s*(?:-|to|and)\s*(?:\$|usd\s?)\s?${figure}|\$\s?${figure}\s*(?:-|to|and)\s*${figure}|${figure}\s*(?:-|to|and)\s*${figure}\s*${unit}\b`,
);
const marked = new RegExp(String.raw`(-?)\s?(?:\$|\busd\s?)\s?${figure}|${figure}\s?(?:${unit}\b|\$)`);
const capped = new RegExp(
  String.raw`\b(?:budget(?: is| of|:)?|under|below|less than|max(?:imum)?(?: of| is)?|up to|at most|no more than|not more than|can pay|pay|spend)(?: about| around| only)?\s+${figure}(?!\s?(?:hours?|hrs?|minutes?|mins?|days?|weeks?|km|miles?|people|guests|[ap]m|:|%|th\b|st\b|rd\b|nd\b))`,
);
const foreign = /(?:€|£|¥|\beuros?\b|\beur\b|\bpounds?\b|\bgbp\b|\byen\b|\bjpy\b)/;

export type MoneyReading = { kind: 'money'; money: Money; match: string } | { kind: 'unsupported'; match: string };

/**
 * Reads the most that somebody wants to spend, in cents. With `expected`, a bare number counts. Of a spread, the upper end counts.
 * Only dollars are read, because every service has its price in dollars. Another currency is reported as `unsupported`.
 */
export function readMoney(text: string, expected = false): MoneyReading | undefined {
  const said = text.toLowerCase().replace(/[–—]/g, '-');
  const abroad = foreign.exec(said);
  if (abroad && /\d/.test(said)) return { kind: 'unsupported', match: abroad[0] };
  const match = spread.exec(said) ?? marked.exec(said) ?? capped.exec(said) ?? (expected ? new RegExp(figure).exec(said) : null);
  if (!match) return undefined;
  const figures = [...match[0].matchAll(new RegExp(figure, 'g'))].map(
    ([, digits, thousand]) => Number(digits!.replaceAll(',', '')) * (thousand ? 1000 : 1),
  );
  const amount = Math.max(...figures.map((value) => Math.round(Math.abs(value) * 100)));
  // A negative amount such as `-5` stays negative, so that the rules refuse it.
  const negative = /^-|\$\s?-\d|-\s?\$/.test(match[0].trim());
  return { kind: 'money', money: { amount: negative ? -amount : amount, currency: 'USD' }, match: match[0] };
}
