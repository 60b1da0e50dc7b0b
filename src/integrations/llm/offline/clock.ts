/** A part of the day in minutes after local midnight. `exact`: the person named one clock time. */
export interface ClockSpan {
  from: number;
  to: number;
  exact: boolean;
}

/** A time of day. With several `spans`, the hour can be am or pm, and the person is asked. */
export interface ClockReading {
  spans: readonly ClockSpan[];
  /** The phrase without the words that were read. */
  rest: string;
}

const HOUR = 60;
const DAY = 24 * HOUR;
/** `at 3` means a start within 30 minutes after 3 o'clock; `around 3` means a start within 60 minutes before or after. */
const EXACT_MINUTES = 30;
const AROUND_MINUTES = 60;

/** Pattern, begin and end in hours. Longer names come first: `late afternoon` before `afternoon`. */
const dayparts: readonly [RegExp, number, number][] = [
  [/\bearly (?:in the )?morning\b/, 6, 9],
  [/\blate(?:r in the)? morning\b/, 10, 12],
  [/\bearly (?:in the )?afternoon\b/, 12, 15],
  [/\blate(?:r in the)? afternoon\b/, 15, 18],
  [/\b(?:any ?time )?after lunch\b/, 13, 18],
  [/\b(?:any ?time )?after work\b/, 17, 21],
  [/\bbefore work\b/, 6, 9],
  [/\b(?:around |at )?lunch ?time\b/, 12, 14],
  [/\b(?:in the |this )?mornings?\b/, 8, 12],
  [/\b(?:in the |this )?afternoons?\b/, 12, 17],
  [/\b(?:in the |this )?evenings?\b/, 17, 21],
  [/\b(?:at night|tonight|this night|nights?)\b/, 18, 22],
];

const clock = String.raw`(\d{1,2})(?:[:.h](\d{2})|h(?=\W|$))?\s*(am|pm)?(?![\d:/]|(?:st|nd|rd|th)\b)`;
const range = new RegExp(String.raw`\b(between|from|at|around)?\s*(?<![\d/:.-])${clock}\s*(?:and|to|-|until|till?|or)\s*${clock}`);
/** A range right beside a day is a range of hours: `9 to 5 monday`. `2 to 3 people` is not. */
const besideDay = /(?:day|tomorrow|tmrw|weekend),? $|^ (?:on )?(?:\w+day|tomorrow|this|next|week)/;
const bound = new RegExp(
  String.raw`\b(after|from|past|not before|starting at|no earlier than|before|by|until|till|no later than)\s+${clock}`,
);
const single = new RegExp(String.raw`\b(at|around|about|approximately|approx|@)\s*${clock}`);
const bare = new RegExp(String.raw`(?<![\d/:.$-])\b${clock}`, 'g');

const numberWords: Record<string, string> = {
  one: '1', two: '2', three: '3', four: '4', five: '5', six: '6', seven: '7', eight: '8', nine: '9', ten: '10', eleven: '11', twelve: '12',
}; // prettier-ignore
const minuteWords: Record<string, number> = {
  five: 5,
  ten: 10,
  quarter: 15,
  twenty: 20,
  'twenty five': 25,
  half: 30,
  thirty: 30,
  'forty five': 45,
  fifteen: 15,
};
const minuteName = Object.keys(minuteWords)
  .sort((a, b) => b.length - a.length)
  .join('|');

/** Writes spoken times in digits: `half past three` → `3:30`, `evening 5` → `5 pm`, `noon` → `12:00 pm`. Expects lower case. */
export function digitTimes(text: string): string {
  const padded = (minutes: number) => String(minutes).padStart(2, '0');
  return (
    text
      .replace(/\b([ap])\.\s?m\b\.?/g, '$1m')
      .replace(/\bo['"]?\s?clock\b/g, '')
      .replace(new RegExp(`\\b(${Object.keys(numberWords).join('|')})\\b(?=\\s+(?:${minuteName})\\b)`, 'g'), (word) => numberWords[word]!)
      .replace(
        new RegExp(
          `\\b(${minuteName})(?: minutes)? (past|after|to|before|till) (${Object.keys(numberWords).join('|')}|\\d{1,2})\\b(?!:)`,
          'g',
        ),
        (_all, minute: string, side: string, hour: string) => {
          const minutes = minuteWords[minute]!;
          const hours = Number(numberWords[hour] ?? hour);
          if (side === 'past' || side === 'after') return `at ${hours}:${padded(minutes)}`;
          return `at ${hours === 1 ? 12 : hours - 1}:${padded(60 - minutes)}`;
        },
      )
      .replace(
        new RegExp(`\\b(\\d{1,2}) (fifteen|thirty|forty five)\\b`, 'g'),
        (_all, hour: string, minute: string) => `${hour}:${padded(minuteWords[minute]!)}`,
      )
      // `one` is a time only beside words such as `am`, `in the` or `at`.
      .replace(
        /\bone\b(?=\s*(?:am|pm|in the|-|to\b|or\b|and two)|\s*$)|(?<=\b(?:at|around|about|by|after|before|between|until|till|for) )one\b/g,
        '1',
      )
      .replace(new RegExp(`\\b(${Object.keys(numberWords).slice(1).join('|')})\\b`, 'g'), (word) => numberWords[word]!)
      .replace(/\b(?:12 )?(?:noon|midday)\b/g, '12:00pm')
      .replace(/\b(?:12 )?midnight\b/g, '12:00am')
      .replace(/\b(\d{1,2}(?:[:.]\d{2})?)\s*(?:ish\b)/g, 'around $1')
      .replace(
        /\b(\d{1,2}(?:[:.]\d{2})?) (?:in the )?(morning|afternoon|evening|at night)\b/g,
        (_all, time: string, part: string) => `${time}${half(part)}`,
      )
      .replace(
        /\b(morning|afternoon|evening|tonight)(?:,| at| around)* (\d{1,2}(?:[:.]\d{2})?)(?!\s*(?:am|pm|-|to|and|\/|st|nd|rd|th|\d))/g,
        (_all, part: string, time: string) => `${part === 'tonight' ? 'today ' : ''}at ${time}${half(part)}`,
      )
  );
}

const half = (part: string) => (part === 'morning' ? 'am' : 'pm');

interface Hand {
  hour: number;
  minute: number;
  half: string | undefined;
}

function hand(hour: string | undefined, minute: string | undefined, meridiem: string | undefined): Hand | undefined {
  const [h, m] = [Number(hour), Number(minute ?? 0)];
  if (hour === undefined || h > 24 || m > 59 || (meridiem !== undefined && (h > 12 || h === 0))) return undefined;
  // `03:30` and `15:30` are times of the 24-hour clock.
  const counted = h > 12 || h === 0 || (hour.length === 2 && hour.startsWith('0'));
  return { hour: h, minute: m, half: meridiem ?? (counted ? '24' : undefined) };
}

/** The possible meanings in minutes after midnight: one, or two for 7 o'clock, which is common in the morning and the evening. */
function readings({ hour, minute, half: which }: Hand): number[] {
  const am = (hour % 12) * HOUR + minute;
  if (which === '24') return [hour * HOUR + minute];
  if (which === 'am') return [am];
  if (which === 'pm') return [am + 12 * HOUR];
  if (hour === 7) return [am, am + 12 * HOUR];
  // Business hours: 8 to 11 mean the morning, 12 means noon, 1 to 6 mean the afternoon. The draft shows am or pm.
  return [hour >= 8 && hour <= 11 ? am : am + 12 * HOUR];
}

function rangeSpans(first: Hand, second: Hand): ClockSpan[] {
  const ends =
    second.half === undefined && first.half === undefined
      ? [...readings(second), (second.hour % 12) * HOUR + 12 * HOUR + second.minute]
      : readings(second);
  let starts = readings(first);
  if (first.half === undefined && second.half !== undefined && second.half !== '24') {
    // In `2 to 4pm` both ends are pm. In `11 to 1pm` the first end must be am.
    const shared = readings({ ...first, half: second.half });
    starts = shared[0]! < ends[0]! ? shared : readings({ ...first, half: second.half === 'pm' ? 'am' : 'pm' });
  }
  return starts.flatMap((from) => {
    const to = [...ends, DAY].sort((a, b) => a - b).find((end) => end > from && end - from <= 14 * HOUR);
    return to === undefined ? [] : [{ from, to, exact: false }];
  });
}

function boundSpan(word: string, at: number): ClockSpan {
  if (/before|by|until|till|later/.test(word) && !/not before/.test(word))
    return { from: Math.min(8 * HOUR, Math.max(0, at - HOUR)), to: at, exact: false };
  return { from: at, to: at < 21 * HOUR ? 22 * HOUR : DAY, exact: false };
}

const around = (at: number): ClockSpan => ({
  from: Math.max(0, at - AROUND_MINUTES),
  to: Math.min(DAY, at + AROUND_MINUTES),
  exact: false,
});
const exactly = (at: number): ClockSpan => ({ from: at, to: Math.min(DAY, at + EXACT_MINUTES), exact: true });

/**
 * Reads the time of day from a phrase that `digitTimes` has prepared. A bare number counts only with minutes, am/pm or a
 * preposition, or with `expected`: the person was asked for a time.
 */
export function readClock(text: string, expected = false): ClockReading | undefined {
  // Dates in digits and amounts of money are not times.
  const guarded = text.replace(/\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}\/\d{1,2}(?:\/\d{2,4})?\b|\$\s?\d[\d,.]*/g, (date) =>
    '#'.repeat(date.length),
  );
  const cut = (match: RegExpExecArray) => `${text.slice(0, match.index)} ${text.slice(match.index + match[0].length)}`;
  const ranged = range.exec(guarded);
  if (
    ranged &&
    (ranged[1] || ranged[3] || ranged[4] || ranged[6] || ranged[7] || ranged[0].includes('-') || expected || isBesideDay(ranged, guarded))
  ) {
    const [first, second] = [hand(ranged[2], ranged[3], ranged[4]), hand(ranged[5], ranged[6], ranged[7])];
    const spans = first && second ? rangeSpans(first, second) : [];
    if (spans.length > 0) return { spans, rest: cut(ranged) };
  }
  const bounded = bound.exec(guarded);
  const edge = bounded && hand(bounded[2], bounded[3], bounded[4]);
  if (bounded && edge) return { spans: readings(edge).map((at) => boundSpan(bounded[1]!, at)), rest: cut(bounded) };
  const named = single.exec(guarded);
  const point = named && hand(named[2], named[3], named[4]);
  if (named && point) return { spans: readings(point).map(named[1] === 'at' || named[1] === '@' ? exactly : around), rest: cut(named) };
  const lones = [...guarded.matchAll(bare)];
  const lone = lones.find((match) => match[2] || match[3] || /\dh/.test(match[0])) ?? (expected ? lones[0] : undefined);
  const loneHand = lone && hand(lone[1], lone[2], lone[3]);
  if (lone && loneHand) return { spans: readings(loneHand).map(exactly), rest: cut(lone) };
  return readDaypart(text);
}

const isBesideDay = ({ 0: match, index }: RegExpExecArray, text: string) =>
  besideDay.test(text.slice(0, index)) || besideDay.test(` ${text.slice(index + match.length).trimStart()}`);

function readDaypart(text: string): ClockReading | undefined {
  for (const [pattern, from, to] of dayparts) {
    const match = pattern.exec(text);
    // `tonight` and `this …` also name the day.
    if (match)
      return {
        spans: [{ from: from * HOUR, to: to * HOUR, exact: false }],
        rest: text.replace(match[0], /tonight|^this /.test(match[0]) ? ' today ' : ' '),
      };
  }
  return undefined;
}
