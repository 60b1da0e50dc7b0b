import {
  budgetFault,
  codeFault,
  integerFault,
  placeFault,
  textFault,
  windowFault,
  type Fault,
  type Location,
  type Priced,
  type TimeWindow,
} from './fact-value.ts';
import { formatPrice } from '../money.ts';

/** An answer that the system offered. `value` is final when the option is offered: accepting the option parses nothing. */
export interface Option {
  label: string;
  value: unknown;
}

export interface Choice {
  code: string;
  label: string;
  /** Phrases that mean this choice anywhere in a message. Label and code count only in an answer to the question. */
  words: readonly string[];
}

/** The catalogue's entry for a fact, without key and kind. */
export interface FactDetail {
  label: string;
  question: string;
  choices?: readonly Choice[];
  /** Bounds of an integer, or of a text's length in characters. */
  min?: number;
  max?: number;
  /** Words that name the fact, such as `bedroom` in `3 bedrooms` and `wash` in `with a wash`. */
  words?: readonly string[];
  /** Words that mean the number 0: a `studio` has 0 bedrooms. */
  zeroWords?: readonly string[];
}

/** Input of a kind's functions beside the value. */
export interface FactContext {
  fact: FactDetail;
  services: readonly { code: string; name: string }[];
  /** The service of the request; undefined while the service is undecided. */
  service: Priced | undefined;
}

/** Writes a window as people in its zone read it. Passed in, because the rules of intake import no calendar library. */
export type FormatWindow = (window: TimeWindow) => string;

/**
 * JSON type of a value in a structured request. A service's own facts stand in `details` and cannot be of the type `object`:
 * facts of that type are universal and have a field of their own.
 */
export type JsonType = 'string' | 'number' | 'boolean' | 'object';

/** The rules for one kind. All functions but `fault` get a checked value, so they may declare the value with the kind's own type. */
export interface FactKindSpec {
  json: JsonType;
  /** The reason for refusing a value, as words that name the allowed values; undefined when the value is valid. */
  fault(value: unknown, context: FactContext): Fault;
  /** The fault in the catalogue's entry for a fact of this kind; undefined when the entry is valid. */
  detailFault?(fact: FactDetail): Fault;
  /** Whether the value lies in the past and is therefore no longer valid; `now` is milliseconds since the epoch. */
  isPast?(value: unknown, now: number): boolean;
  /** The answers that the reply can list. */
  options?(context: FactContext): Option[];
  /** The question lists the options. Without this flag, only a clarification lists them. */
  asksWithOptions?: true;
  /** The value as people write it. */
  text(value: unknown, context: FactContext, formatWindow: FormatWindow): string;
  /** Turns the result of `text` into a part of a sentence: `bare` as it is, `labelled` with the fact's label before it. */
  short(text: string, fact: FactDetail): string;
  /** The reply to a value that Proxie understands but does not offer. `asked`: the question; `options`: their labels, joined by ` / `. */
  unsupported?(asked: string, options: string): string;
}

const bare = (text: string) => text;
const labelled = (text: string, { label }: FactDetail) => `${label.toLowerCase()}: ${text.toLowerCase()}`;

/**
 * The kinds of facts. A new kind is one entry here and one in src/integrations/llm/kind/index.ts, which the compiler demands.
 * This table defines the values of a kind. The other table defines how words become a value.
 */
export const factKinds = {
  choice: {
    json: 'string',
    fault: (value, { fact: { choices = [] } }) =>
      codeFault(
        value,
        choices.map(({ code }) => code),
      ),
    detailFault: ({ choices = [] }) =>
      choices.length < 2 || new Set(choices.map(({ code }) => code)).size < choices.length ? 'needs distinct choices' : undefined,
    options: ({ fact: { choices = [] } }) => choices.map(({ code, label }) => ({ label, value: code })),
    asksWithOptions: true,
    text: (value, { fact }) => fact.choices?.find(({ code }) => code === value)?.label ?? String(value),
    short: labelled,
  },
  integer: {
    json: 'number',
    fault: (value, { fact: { min = 0, max = 1000 } }) => integerFault(value, min, max),
    text: String,
    short: labelled,
  },
  flag: {
    json: 'boolean',
    fault: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
    text: (value) => (value === true ? 'Yes' : 'No'),
    short: labelled,
  },
  text: {
    json: 'string',
    fault: (value, { fact: { min = 1, max = 1000 } }) => textFault(value, min, max),
    text: String,
    short: () => 'your note',
  },
  service: {
    json: 'string',
    fault: (value, { services }) =>
      codeFault(
        value,
        services.map(({ code }) => code),
      ),
    options: ({ services }) => services.map(({ code, name }) => ({ label: name, value: code })),
    text: (value, { services }) => services.find(({ code }) => code === value)?.name ?? String(value),
    short: bare,
    unsupported: (_asked, options) => `We do not offer that yet. Which of these do you need: ${options}?`,
  },
  window: {
    json: 'object',
    fault: windowFault,
    isPast: ({ to }: TimeWindow, now) => Date.parse(to) <= now,
    text: (value: TimeWindow, _context, formatWindow) => formatWindow(value),
    short: bare,
  },
  place: {
    json: 'object',
    fault: placeFault,
    text: ({ place, address }: Location) => (address ? `${address}, ${place}` : place),
    short: bare,
  },
  money: {
    json: 'object',
    fault: (value, { service }) => budgetFault(value, service),
    text: formatPrice,
    short: (text) => `up to ${text}`,
    unsupported: (asked) => `Prices are in US dollars. ${asked}`,
  },
} satisfies Record<string, FactKindSpec>;

export type FactKind = keyof typeof factKinds;

/** The entry of a kind. In the table's own, exact types TypeScript refuses access to the optional parts. */
export const kindOf = (kind: FactKind): FactKindSpec => factKinds[kind];
