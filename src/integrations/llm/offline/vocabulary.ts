import type { Catalogue, Choice, ServiceSpec } from '../../../domain/intake/catalogue.ts';
import { servicesOf } from '../../../domain/intake/catalogue.ts';
import { lazy } from '../lazy.ts';
import type { ItemToken, ItsFunction } from 'wink-nlp';
import { near } from './typo.ts';

export interface Token {
  text: string;
  stem: string;
  negated: boolean;
}

/** Loaded at the first message. Loading takes 0.25 s and about 40 MB, which a worker's start and the API do not need. */
const loadWink = lazy(async () => {
  const [{ default: winkNlp }, { default: model }] = await Promise.all([import('wink-nlp'), import('wink-eng-lite-web-model')]);
  return winkNlp(model, ['sbd', 'negation']);
});

export type Tokenize = (text: string) => Token[];

/** Splits text into words with their stems, and marks negated words: `no pets`, `I don't want a haircut`. */
export const loadTokenizer = lazy(async (): Promise<Tokenize> => {
  const nlp = await loadWink();
  return (text) => {
    const tokens: Token[] = [];
    // A hyphen between letters (`move-out`) counts as a space.
    nlp
      .readDoc(text.toLowerCase().replace(/(?<=\p{L})-(?=\p{L})/gu, ' '))
      .tokens()
      .each((token: ItemToken) =>
        tokens.push({
          text: token.out(),
          stem: String(token.out(nlp.its.stem as ItsFunction<string>)),
          negated: Boolean(token.out(nlp.its.negationFlag)),
        }),
      );
    return tokens;
  };
});

export interface Match {
  start: number;
  end: number;
  negated: boolean;
  /** Whether all words match without a typing error. */
  exact: boolean;
}

/** Finds a phrase in a message by the stems of its words. With `loose`, longer words may have a typing error. */
export function findPhrase(message: readonly Token[], phrase: readonly Token[], loose = false): Match | undefined {
  const same = (said: Token, meant: Token) => said.stem === meant.stem || said.text === meant.text;
  for (let start = 0; phrase.length > 0 && start + phrase.length <= message.length; start++) {
    const said = message.slice(start, start + phrase.length);
    const exact = said.every((token, index) => same(token, phrase[index]!));
    if (exact || (loose && said.every((token, index) => same(token, phrase[index]!) || near(token.text, phrase[index]!.text)))) {
      // A negation inside the phrase itself does not count: `no hot water` describes a heater's fault.
      return { start, end: start + phrase.length, negated: said.some(({ negated }, index) => negated && !phrase[index]!.negated), exact };
    }
  }
  return undefined;
}

interface Entry<T> {
  of: T;
  phrase: Token[];
  length: number;
}

/** The words of a catalogue, tokenized once per catalogue and process. */
export interface Vocabulary {
  services: Entry<ServiceSpec>[];
  categories: Entry<string>[];
}

const vocabularies = new WeakMap<Catalogue, Vocabulary>();

export function vocabularyOf(catalogue: Catalogue, tokenize: Tokenize): Vocabulary {
  const known = vocabularies.get(catalogue);
  if (known) return known;
  const entries = <T>(of: T, words: readonly string[]): Entry<T>[] =>
    words.map((word) => ({ of, phrase: tokenize(word), length: word.length }));
  const made: Vocabulary = {
    services: servicesOf(catalogue).flatMap((service) => entries(service, [service.name, ...service.words])),
    categories: catalogue.categories.flatMap(({ code, name, words }) => entries(code, [name, ...words])),
  };
  vocabularies.set(catalogue, made);
  return made;
}

export interface ServiceMatch {
  service: ServiceSpec;
  match: Match;
}

/** The services that a message names. A longer phrase hides overlapping shorter ones: `deep clean` does not also match `clean my`. */
export function servicesIn(message: readonly Token[], { services }: Vocabulary): ServiceMatch[] {
  const read = (loose: boolean) =>
    services.flatMap(({ of, phrase, length }) => {
      const match = findPhrase(message, phrase, loose);
      return match ? [{ service: of, match, length }] : [];
    });
  const exact = read(false);
  const found = (exact.length > 0 ? exact : read(true)).sort((a, b) => b.length - a.length);
  const kept: typeof found = [];
  for (const one of found) {
    const hidden = kept.some(
      ({ service, match }) => service.code === one.service.code || (match.start < one.match.end && one.match.start < match.end),
    );
    if (!hidden) kept.push(one);
  }
  return kept;
}

/** The code of the category that a message names. */
export function categoryIn(message: readonly Token[], { categories }: Vocabulary): string | undefined {
  const read = (loose: boolean) =>
    categories.filter(({ phrase }) => findPhrase(message, phrase, loose)?.negated === false).sort((a, b) => b.length - a.length)[0]?.of;
  return read(false) ?? read(true);
}

/** The choice that a message names. Label and code count only with `asked`: the question about this fact is open. */
export function choiceIn(message: readonly Token[], choices: readonly Choice[], tokenize: Tokenize, asked: boolean): Choice | undefined {
  const read = (loose: boolean) =>
    choices
      .flatMap((choice) =>
        (asked ? [choice.label, choice.code.replaceAll('_', ' '), ...choice.words] : choice.words).map((word) => ({
          choice,
          word,
          match: findPhrase(message, tokenize(word), loose),
        })),
      )
      .filter(({ match }) => match && !match.negated)
      .sort((a, b) => b.word.length - a.word.length)[0]?.choice;
  return read(false) ?? (asked ? read(true) : undefined);
}
