import { Temporal } from 'temporal-polyfill';

type Day = Temporal.PlainDate;

/** The days from `first` up to `end`; `end` itself is not included. */
export interface DaySpan {
  first: Day;
  end: Day;
  /** Whether the person named these days. A time that has passed on a named day is in the past and does not move to the next day. */
  named: boolean;
}

export interface DateReading {
  /** More than one when the phrase is ambiguous. */
  spans: readonly DaySpan[];
}

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const weekday = String.raw`(mon(?:day)?s?|tue(?:s(?:day)?)?s?|wed(?:nesday|s)?|thu(?:rs?(?:day)?)?s?|fri(?:day)?s?|sat(?:urday)?s?|sun(?:day)?s?)`;
const numbers: Record<string, number> = { a: 1, an: 1, couple: 2, 'a couple of': 2, few: 3, 'a few': 3 };
const amount = String.raw`(\d{1,3}|an?|a couple of|a few)`;

const one = (first: Day, named = true): DaySpan => ({ first, end: first.add({ days: 1 }), named });
const days = (first: Day, end: Day): DaySpan => ({ first, end, named: true });
const numberOf = (word: string) => numbers[word] ?? Number(word);
const dayOfWeek = (word: string) => weekdays.findIndex((name) => name.startsWith(word.slice(0, 3))) + 1;
/** The next day with this weekday (1 is Monday); `today` counts. */
const coming = (today: Day, iso: number) => today.add({ days: (iso - today.dayOfWeek + 7) % 7 });
const mondayAfter = (today: Day) => today.add({ days: 8 - today.dayOfWeek });

type Reader = (match: RegExpExecArray, today: Day, usOrder: boolean) => readonly DaySpan[] | undefined;

/** The day that a weekday means. Two days when the meaning is not clear. */
function onWeekday(today: Day, word: string, prefix: string): DaySpan[] {
  const iso = dayOfWeek(word);
  const soon = coming(today, iso);
  const soonIsToday = soon.equals(today);
  if (prefix === 'next') {
    // `next` is clear only when the coming day is today or lies in the next calendar week.
    if (soonIsToday || Temporal.PlainDate.compare(soon, mondayAfter(today)) >= 0) return [one(soonIsToday ? soon.add({ days: 7 }) : soon)];
    return [one(soon), one(soon.add({ days: 7 }))];
  }
  if (soonIsToday && prefix === '') return [one(soon, false), one(soon.add({ days: 7 }))];
  return [one(soon)];
}

const byDay = (today: Day, iso: number, limit: Day) => ({
  first: today,
  end: Temporal.PlainDate.compare(coming(today, iso).add({ days: 1 }), limit) > 0 ? limit : coming(today, iso).add({ days: 1 }),
});

/** The next existing day with this number that has not passed. */
function dayNumber(today: Day, day: number, monthsAhead: number): DaySpan[] | undefined {
  for (let ahead = monthsAhead; ahead < monthsAhead + 12; ahead++) {
    const month = today.with({ day: 1 }).add({ months: ahead });
    if (day > month.daysInMonth) continue;
    const date = month.with({ day });
    if (Temporal.PlainDate.compare(date, today) >= 0) return [one(date)];
  }
  return undefined;
}

const readers: readonly [RegExp, Reader][] = [
  [
    /\b(?:yesterday|last (?:week|month|night|mon|tue|wed|thu|fri|sat|sun)\w*|\d+ (?:days?|weeks?) ago)\b/,
    (_m, today) => [one(today.subtract({ days: 1 }))],
  ],
  [/\b(?:the )?day after tomorrow\b/, (_m, today) => [one(today.add({ days: 2 }))]],
  [
    new RegExp(String.raw`\b(?:an?|1) week from ${weekday}\b|\b${weekday} week\b`),
    ([, from, week], today) => [one(coming(today, dayOfWeek((from ?? week)!)).add({ days: 7 }))],
  ],
  [/\b(?:an?|1) week from (today|tomorrow|now)\b/, ([, from], today) => [one(today.add({ days: from === 'tomorrow' ? 8 : 7 }))]],
  [
    new RegExp(String.raw`\b${weekday},? (?:of )?next week\b|\bnext week(?:'s|,)?(?: on)? ${weekday}\b`),
    ([, a, b], today) => [one(mondayAfter(today).add({ days: dayOfWeek((a ?? b)!) - 1 }))],
  ],
  [
    new RegExp(String.raw`\b${weekday} (?:of )?this week\b|\bthis week(?:'s|,)?(?: on)? ${weekday}\b`),
    ([, a, b], today) => [one(today.add({ days: dayOfWeek((a ?? b)!) - today.dayOfWeek }))],
  ],
  [
    new RegExp(String.raw`\b(?:between |from )?${weekday}\s*(?:and|to|through|until|till|-|or)\s*${weekday}\b`),
    ([text, a, b], today) => {
      const first = coming(today, dayOfWeek(a!));
      const last = coming(first, dayOfWeek(b!));
      const adjacent = Temporal.PlainDate.compare(last, first.add({ days: 1 })) === 0;
      return / or /.test(text) && !adjacent ? [one(first), one(last)] : [days(first, last.add({ days: 1 }))];
    },
  ],
  [
    new RegExp(String.raw`\bby (?:this |next )?${weekday}\b`),
    ([, day], today) => [{ ...byDay(today, dayOfWeek(day!), today.add({ days: 8 })), named: true }],
  ],
  [
    new RegExp(String.raw`\bbefore (?:this |next )?${weekday}\b`),
    ([, day], today) => [days(today, coming(today.add({ days: 1 }), dayOfWeek(day!)))],
  ],
  [
    /\b(?:within|in) the next (\d{1,2}|couple of|few) days\b/,
    ([, n], today) => [days(today, today.add({ days: (n === 'couple of' ? 2 : n === 'few' ? 3 : Number(n)) + 1 }))],
  ],
  [/\bearly next week\b/, (_m, today) => [days(mondayAfter(today), mondayAfter(today).add({ days: 3 }))]],
  [
    /\b(?:late(?:r)?|(?:the )?end of) next week\b/,
    (_m, today) => [days(mondayAfter(today).add({ days: 3 }), mondayAfter(today).add({ days: 6 }))],
  ],
  [/\bnext week ?end\b/, (_m, today) => [0, 7].map((more) => weekend(today, more)).filter((_s, index) => index > 0 || today.dayOfWeek < 6)],
  [/\b(?:(?:on |at |over )?(?:this|the|coming) )?week ?ends?\b/, (_m, today) => [weekend(today, 0)]],
  [/\bnext week\b/, (_m, today) => [days(mondayAfter(today), mondayAfter(today).add({ days: 7 }))]],
  [/\blater this week\b/, (_m, today) => [days(today.dayOfWeek === 7 ? today : today.add({ days: 1 }), mondayAfter(today))]],
  [/\b(?:some ?time |any ?time |any day )?this week\b/, (_m, today) => [days(today, mondayAfter(today))]],
  [/\bnext month\b(?! on)/, (_m, today) => [days(today.with({ day: 1 }).add({ months: 1 }), today.with({ day: 1 }).add({ months: 2 }))]],
  [
    new RegExp(String.raw`\bin ${amount} (days?|weeks?)\b|\b${amount} (days?|weeks?) from now\b`),
    ([, a, unit, b, unitB], today) => {
      const n = numberOf((a ?? b)!);
      return [one(today.add({ days: (unit ?? unitB)!.startsWith('week') ? n * 7 : n }))];
    },
  ],
  [/\b(?:tomorrow|tommorow|tomorow|tmrw|tmr|tomoz)\b/, (_m, today) => [one(today.add({ days: 1 }))]],
  [/\b(?:today|tonight|this (?:morning|afternoon|evening))\b/, (_m, today) => [one(today)]],
  [
    /\b(?:the )?(\d{1,2})(?:st|nd|rd|th) (?:of )?(this|next) month\b/,
    ([, day, which], today) => dayNumber(today, Number(day), which === 'next' ? 1 : 0),
  ],
  [/\b(\d{1,2})\/(\d{1,2})\b(?!\/)/, ([, a, b], today, usOrder) => slashDate(today, Number(a), Number(b), usOrder)],
];

const weekend = (today: Day, more: number): DaySpan => {
  const saturday = today.dayOfWeek >= 6 ? today.subtract({ days: today.dayOfWeek - 6 }) : coming(today, 6);
  return days(saturday.add({ days: more }), saturday.add({ days: more + 2 }));
};

/** Reads `3/4` as month and day in US order. Elsewhere the order is not clear, and both readings are offered. */
function slashDate(today: Day, a: number, b: number, usOrder: boolean): DaySpan[] | undefined {
  const tries = usOrder ? [[a, b]] : [[b, a], [a, b]]; // prettier-ignore
  const found = tries.flatMap(([month, day]) => {
    const date = existing(today.year, month!, day!);
    if (!date) return [];
    return [one(Temporal.PlainDate.compare(date, today) < 0 ? date.add({ years: 1 }) : date)];
  });
  if (found.length === 0) return undefined;
  return found.length === 2 && found[0]!.first.equals(found[1]!.first) ? found.slice(0, 1) : found;
}

/** The date, or undefined when the month has no such day. */
export function existing(year: number, month: number, day: number): Day | undefined {
  try {
    return Temporal.PlainDate.from({ year, month, day }, { overflow: 'reject' });
  } catch {
    return undefined;
  }
}

/** Dates that chrono finds: month names, ISO dates, slash dates with a year. `end` is the last day of a span. */
export type ChronoDates = (text: string, today: Day) => readonly { day: Day; end?: Day }[];

/** Reads the days from a phrase in lower case without times of day; undefined when the phrase names no day. */
export function readDates(text: string, today: Day, usOrder: boolean, chronoDates: ChronoDates): DateReading | undefined {
  // Chrono reads spelled months and full dates; the readers above read the rest.
  const spelled =
    /\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\b/.test(text) || /\d{4}-\d{2}-\d{2}|\d\/\d{1,2}\/\d/.test(text);
  if (!spelled || !chronoDates(text, today).length) {
    for (const [pattern, read] of readers) {
      const match = pattern.exec(text);
      const spans = match && read(match, today, usOrder);
      if (spans) return { spans };
    }
    const ordinal = /\b(?:the |on )?(\d{1,2})(?:st|nd|rd|th)\b(?! floor)/.exec(text);
    const spans = ordinal && !spelled ? dayNumber(today, Number(ordinal[1]), 0) : undefined;
    if (spans) return { spans };
    const named = new RegExp(String.raw`\b(?:(this|next|coming) )?${weekday}\b`).exec(text);
    if (named && isWeekday(named[2]!, named[0], text)) return { spans: onWeekday(today, named[2]!, named[1] ?? '') };
  }
  // Chrono reads short forms anywhere. They are removed where they are no weekday: `a sun lamp` is not on Sunday.
  const found = chronoDates(
    text.replace(/\b(?:sun|sat|mon|wed|fri)\b/g, (name) => (isWeekday(name, name, text) ? name : '')),
    today,
  );
  if (found.length === 0) return undefined;
  return { spans: found.slice(0, 3).map(({ day, end }) => (end ? days(day, end.add({ days: 1 })) : one(day))) };
}

/** `sun` and `sat` are also ordinary words. Short forms count only after a preposition or a comma, or at the end. */
function isWeekday(name: string, phrase: string, text: string): boolean {
  if (weekdays.some((full) => name === full || name === `${full}s`)) return true;
  return phrase !== name || new RegExp(String.raw`\b(?:on|or|and) ${name}\b|, ${name}\b|\b${name}$`).test(text.trim());
}
