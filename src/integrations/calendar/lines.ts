// Selects the lines of an iCalendar text that say when somebody is busy. Everything else (names, places, guests, alarms) is
// dropped unread: Proxie has no need to know it, and unread text cannot break anything.

/** Components that are read, with their parents. All other components are skipped whole. */
const parentOf: Readonly<Record<string, string>> = {
  VCALENDAR: '',
  VEVENT: 'VCALENDAR',
  VTIMEZONE: 'VCALENDAR',
  STANDARD: 'VTIMEZONE',
  DAYLIGHT: 'VTIMEZONE',
};
const wanted = /^(?:DTSTART|DTEND|DURATION|RRULE|RDATE|EXDATE|RECURRENCE-ID|UID|STATUS|TRANSP|TZID|TZOFFSETFROM|TZOFFSETTO)(?=[;:])/i;

/** The text is not a calendar, or only a part of one. */
export class Unreadable extends Error {}

/**
 * The unfolded wanted lines, with the BEGIN and END of the components around them.
 * @throws Unreadable unless the text consists of whole VCALENDARs, at least one of them
 */
export function busyLines(text: string): string[] {
  if (text.includes('\0')) throw new Unreadable('a null byte');
  const kept: string[] = [];
  /** Names of the open components. The last `skipped` of them, beginning with an unwanted one, are not read. */
  const open: string[] = [];
  let skipped = 0;
  let calendars = 0;

  function take(line: string): void {
    const edge = /^(BEGIN|END):\s*([\w-]+)\s*$/i.exec(line);
    if (!edge) {
      if (open.length === 0 && line.trim()) throw new Unreadable('something outside of a calendar');
      if (skipped === 0 && wanted.test(line)) kept.push(line);
      return;
    }
    const name = edge[2]!.toUpperCase();
    if (edge[1]!.toUpperCase() === 'END') {
      if (open.pop() !== name) throw new Unreadable(`END:${name} without its beginning`);
      if (skipped > 0) skipped -= 1;
      else kept.push(`END:${name}`);
      return;
    }
    if (open.length === 0 && name !== 'VCALENDAR') throw new Unreadable('no calendar');
    if (skipped > 0 || parentOf[name] !== (open.at(-1) ?? '')) skipped += 1;
    else kept.push(`BEGIN:${name}`);
    if (name === 'VCALENDAR') calendars += 1;
    open.push(name);
  }

  let pieces: string[] = [];
  for (const line of physicalLines(text)) {
    if (/^[ \t]/.test(line)) {
      pieces.push(line.slice(1));
    } else {
      take(pieces.join(''));
      pieces = [line];
    }
  }
  take(pieces.join(''));
  if (open.length > 0) throw new Unreadable('the end is missing');
  if (calendars === 0) throw new Unreadable('no calendar');
  return kept;
}

/** Yields one line at a time: a text of empty lines must not become millions of strings at once. */
function* physicalLines(text: string): Generator<string> {
  let from = text.startsWith('\ufeff') ? 1 : 0;
  while (from < text.length) {
    const end = text.indexOf('\n', from);
    const to = end < 0 ? text.length : end;
    yield text.slice(from, text[to - 1] === '\r' && to > from ? to - 1 : to);
    from = to + 1;
  }
}
