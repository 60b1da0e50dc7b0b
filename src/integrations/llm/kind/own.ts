import { countOf, readInteger } from '../offline/amount.ts';
import { leansNo, leansYes, topicIn } from '../offline/intents.ts';
import { choiceIn, findPhrase, loadTokenizer } from '../offline/vocabulary.ts';
import { bound, say, type KindReading, type Message } from './reading.ts';

const wasAsked = ({ input: { asked } }: Message, key: string) => asked?.key === key;

export const choice: KindReading = {
  prompt: 'Choices: one of the codes.',
  brief: (value) => value,
  find(message, { key, choices = [] }) {
    const { tokens, tokenize, input } = message;
    const chosen = choiceIn(tokens, choices, tokenize, wasAsked(message, key) && !topicIn(input.text));
    if (chosen) say(message, key, chosen.code);
  },
  async bind(phrase, { fact: { choices = [] } }) {
    const said = phrase.trim();
    const tokenize = await loadTokenizer();
    return bound(choices.find(({ code }) => code === said.toLowerCase())?.code ?? choiceIn(tokenize(said), choices, tokenize, true)?.code);
  },
};

export const flag: KindReading = {
  prompt: 'flag: yes or no.',
  brief: (value) => value,
  find(message, { key, words }) {
    const { tokens, tokenize, input: { text } } = message; // prettier-ignore
    const match = words?.map((word) => findPhrase(tokens, tokenize(word))).find(Boolean);
    if (match) say(message, key, match.negated || /\bwithout\b/i.test(text) ? 'no' : 'yes');
    else if (wasAsked(message, key) && (leansYes(text) || leansNo(text))) say(message, key, leansYes(text) ? 'yes' : 'no');
  },
  bind(phrase) {
    const said = phrase.trim();
    if (/^(?:true|yes)$/i.test(said) || leansYes(said)) return { value: true };
    return bound(/^(?:false|no)$/i.test(said) || leansNo(said) ? false : undefined);
  },
};

export const integer: KindReading = {
  prompt: 'integer: digits.',
  brief: (value) => value,
  find(message, { key, words = [], zeroWords }) {
    const { tokens, tokenize } = message;
    const counted = countOf(message.rest, words);
    if (counted) {
      say(message, key, String(counted.count));
      message.rest = message.rest.toLowerCase().replace(counted.match, ' ');
    } else if (zeroWords?.some((word) => findPhrase(tokens, tokenize(word)))) say(message, key, '0');
    else if (wasAsked(message, key)) findBareNumber(message, key);
  },
  bind(phrase, { fact: { zeroWords } }) {
    const said = phrase.trim();
    // The minus sign is kept, so that the rules can refuse the number.
    if (/^-\s?\d+$/.test(said)) return { value: Number(said.replaceAll(' ', '')) };
    return bound(readInteger(said) ?? (zeroWords?.some((word) => said.toLowerCase().includes(word)) ? 0 : undefined));
  },
};

/** Reads a bare number as the answer to a question about a number: `3`, `three please`, `-1`. */
function findBareNumber(message: Message, key: string): void {
  const alone =
    /^\s*(?:about |around |just |only |maybe |it'?s |there (?:are|is) |there'?s |we have |i have |we are )?(-?\d{1,6}|[a-z]+)\s*(?:please|thanks|of (?:them|us)|total|altogether)?\s*[.!]?\s*$/i.exec(
      message.rest,
    );
  const said = alone?.[1] ?? '';
  if (!/^-?\d+$/.test(said) && readInteger(said) === undefined) return;
  say(message, key, said);
  message.rest = '';
}
