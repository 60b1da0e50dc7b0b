import type { FactSpec, Location } from '../../../domain/intake/catalogue.ts';
import { addressIn, resolvePlace, servedPlaces } from '../offline/place.ts';
import { say, type KindReading, type Message } from './reading.ts';

export const place: KindReading = {
  prompt: 'location: the place or address as said.',
  brief: (value) => (value as Location).place,
  find,
  bind(phrase, { input: { places }, location }) {
    const reading = resolvePlace(phrase, places, { expected: true, known: location });
    if (reading.kind === 'place') return { value: reading.location };
    return reading.kind === 'ambiguous'
      ? { ask: 'ambiguous', options: reading.options }
      : { ask: 'unknown_place', options: servedPlaces(places) };
  },
};

function find(message: Message, { key }: FactSpec): void {
  const { places, known, asked, text } = message.input;
  const expected = asked?.key === key;
  const address = addressIn(message.rest);
  const found = resolvePlace(message.rest, places, { expected, known: known[key]?.value as Location | undefined });
  if (found.kind !== 'unknown') say(message, key, message.rest);
  else if (
    address ||
    (!(key in known) &&
      /\b(?:in|near)\s+(?!the\b|my\b|a\b|an\b|our\b|about\b|front\b|need\b)(?:\p{Lu}[\p{L}'-]+)(?!\w)/u.test(text) &&
      !monthAfterIn.test(text))
  )
    say(message, key, message.rest);
  if (address) message.rest = message.rest.replace(address, ' ');
}

const monthAfterIn = /\bin (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/;
