import type { FactKind } from '../../../domain/intake/fact-kind.ts';
import { readMoney } from '../offline/amount.ts';
import { leansNo } from '../offline/intents.ts';
import { choice, flag, integer } from './own.ts';
import { place } from './place.ts';
import { say, type KindReading } from './reading.ts';
import { service } from './service.ts';
import { window } from './window.ts';

/** Marks a note. A text counts as a note only after one of these marks, or as the answer to the question about notes. */
const note =
  /\b(?:notes?(?: for the provider)?\s*:|please note(?: that)?:?|please tell (?:them|him|her|the provider)(?: that)?)\s*(\S[\s\S]{0,900})$/i;

/** How words become values, by kind. Every kind of `factKinds` (src/domain/intake/fact-kind.ts) has an entry here. */
export const kindReadings = {
  service,
  window,
  place,
  money: {
    prompt: 'budget: the amount as said.',
    brief: (value) => value,
    find(message, { key }) {
      const found = readMoney(message.rest, message.input.asked?.key === key);
      if (!found) return;
      say(message, key, message.rest);
      message.rest = message.rest.toLowerCase().replace(/[–—]/g, '-').replace(found.match, ' ');
    },
    bind(phrase) {
      const reading = readMoney(phrase, true);
      if (!reading) return { ask: 'not_understood' };
      return reading.kind === 'money' ? { value: reading.money } : { ask: 'unsupported' };
    },
  },
  choice,
  flag,
  integer,
  text: {
    prompt: '',
    brief: () => '(given)',
    find(message, { key }) {
      const { original } = message;
      const asked = message.input.asked?.key === key;
      const marked = key === 'notes' ? note.exec(original)?.[1]?.trim() : undefined;
      const said = marked ?? (asked && !leansNo(original) ? original : undefined);
      if (!said) return;
      say(message, key, said);
      message.rest = asked ? '' : message.rest.replace(note, ' ');
    },
    bind: (phrase, { fact: { max = 1000 } }) => ({ value: phrase.trim().slice(0, max) }),
  },
} satisfies Record<FactKind, KindReading>;

export const readingOf = (kind: FactKind): KindReading => kindReadings[kind];
