import { servicesOf } from '../../domain/intake/catalogue.ts';
import type { InterpretInput } from './interpreter.ts';

const MAX_ACK = 240;
/** Words for outcomes that only code may announce. */
const claims =
  /\b(?:book(?:ed|ing)|confirmed|reserved|sent|paid|free|guarantee\w*|refund\w*|discount\w*|approved|found|available|accepted|scheduled)\b/i;
const calendarWords = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
  'today',
  'tomorrow',
  'i',
  'ok',
  'okay',
];

/** Words that a sentence may begin with. Any other capitalised word could be a name. */
const openers =
  'got sure great thanks thank alright understood noted perfect okay a an the so your you hi hello of no we it that this for sounds happy sorry let good all right yes and with changed updated added here what nice wonderful lovely excellent'.split(
    ' ',
  );

const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/**
 * Checks a model's acknowledgement against the person's messages. A number, name, link or promise that the person did not
 * write was invented by the model or injected by somebody. Such a sentence is dropped, and the reply uses the template.
 */
export function createAckGuard({ text, catalogue, places, history }: InterpretInput) {
  const said = [text, ...history.filter(({ by }) => by === 'person').map((turn) => turn.text)].join(' ');
  const names = [
    ...servicesOf(catalogue).map(({ name }) => name),
    ...catalogue.categories.map(({ name }) => name),
    ...places.map(({ name }) => name),
  ].join(' ');
  const allowed = new Set([...wordsOf(said), ...wordsOf(names), ...calendarWords, ...openers]);
  const fits = (ack: string): boolean => {
    if (ack.length > MAX_ACK || /[?@<>{}[\]\\`|]|:\/\/|www\./.test(ack) || claims.test(ack)) return false;
    if ((ack.match(/\d+/g) ?? []).some((digits) => !allowed.has(digits) && !said.includes(digits))) return false;
    // A capitalised word counts as a name unless the person, the catalogue, the gazetteer or the lists above contain the word.
    const capitals = [...ack.matchAll(/(?<![\p{L}\p{N}])\p{Lu}[\p{L}\p{N}]*/gu)].map(([word]) => word.toLowerCase());
    return capitals.every((word) => allowed.has(word));
  };
  return { fits };
}

/** Reads the text of the first field, `"ack"`, while the JSON is still arriving. */
export function createAckReader() {
  let raw = '';
  return {
    /** Adds the next piece of JSON. @returns the acknowledgement so far */
    push(chunk: string): string {
      if (raw.length < 4_000) raw += chunk;
      const start = /^\s*\{\s*"ack"\s*:\s*"/.exec(raw);
      if (!start) return '';
      const body = /^(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/.exec(raw.slice(start[0].length))![0];
      try {
        return JSON.parse(`"${body}"`) as string;
      } catch {
        return ''; // The text contains a control character: the whole answer will be refused.
      }
    },
  };
}
