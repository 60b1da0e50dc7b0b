import type { Location } from '../../../domain/intake/catalogue.ts';
import type { Option } from '../../../domain/intake/decide.ts';
import type { GazetteerPlace } from '../interpreter.ts';
import { near } from './typo.ts';

export type PlaceReading = { kind: 'place'; location: Location } | { kind: 'ambiguous'; options: Option[] } | { kind: 'unknown' };

const street =
  /\b\d{1,6}[a-z]?\s+(?:[a-z0-9.'-]+\s+){1,4}?(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|square|sq|terrace|highway|hwy|parkway|pkwy)\b\.?(?:,?\s*(?:apt|apartment|unit|suite|#)\.?\s*#?\w{1,6})?/i;

const plain = (text: string) =>
  ` ${text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()} `;

/** The first street address in a text; undefined when the text has none. */
export const addressIn = (text: string): string | undefined => street.exec(text)?.[0].trim();

interface Hit {
  place: GazetteerPlace;
  name: string;
}

/** Names of up to three letters (`LA`) can also be words: they count only in capitals, or as the whole text. */
const isWritten = (name: string, text: string) =>
  name.trim().length > 3 || plain(text) === name || new RegExp(`\\b${name.trim().toUpperCase()}\\b`).test(text);

function hits(text: string, places: readonly GazetteerPlace[]): Hit[] {
  const said = plain(text);
  const all = places.flatMap((place) =>
    [place.name, ...place.aliases].flatMap((alias) => {
      const name = plain(alias);
      return name.trim() && said.includes(name) && isWritten(name, text) ? [{ place, name }] : [];
    }),
  );
  // `York` inside `New York` does not count as a second place.
  return all.filter(({ name }) => !all.some((other) => other.name.length > name.length && other.name.includes(name)));
}

/**
 * Places whose names match with a typing error. Compared are one to three words after a preposition; in an answer to `where?`
 * (`expected`), one to three words anywhere.
 */
function almost(text: string, places: readonly GazetteerPlace[], expected: boolean): Hit[] {
  const words = plain(text).trim().split(' ');
  const starts = expected
    ? words.map((_word, index) => index)
    : words.flatMap((word, index) => (['in', 'near', 'around', 'at'].includes(word) ? [index + 1] : []));
  const said = new Set(starts.flatMap((start) => [1, 2, 3].map((length) => words.slice(start, start + length).join(' '))));
  return places.flatMap((place) => {
    const name = [place.name, ...place.aliases]
      .map((alias) => plain(alias).trim())
      .find((alias) => [...said].some((phrase) => near(phrase, alias)));
    return name ? [{ place, name }] : [];
  });
}

/** Looks a phrase up in the gazetteer. A phrase with only a street address adds the address to the place `known`. */
export function resolvePlace(
  text: string,
  places: readonly GazetteerPlace[],
  { expected = false, known }: { expected?: boolean; known?: Location | undefined } = {},
): PlaceReading {
  const address = addressIn(text);
  const outside = address ? text.replace(address, ' ') : text;
  const exact = hits(outside, places);
  const found = [...new Set((exact.length > 0 ? exact : almost(outside, places, expected)).map(({ place }) => place))];
  const locate = ({ name, lat, lon, zone }: GazetteerPlace): Location => ({ place: name, lat, lon, zone, ...(address ? { address } : {}) });
  if (found.length === 1) return { kind: 'place', location: locate(found[0]!) };
  if (found.length > 1)
    return { kind: 'ambiguous', options: found.slice(0, 6).map((place) => ({ label: place.name, value: locate(place) })) };
  return address && known ? { kind: 'place', location: { ...known, address } } : { kind: 'unknown' };
}

/** The first five places of the gazetteer, offered when Proxie does not know the person's place. */
export const servedPlaces = (places: readonly GazetteerPlace[]): Option[] =>
  places.slice(0, 5).map(({ name, lat, lon, zone }) => ({ label: name, value: { place: name, lat, lon, zone } satisfies Location }));
