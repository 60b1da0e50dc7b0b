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

/** A value the system offered. It is bound when it is offered: accepting it never parses anything again. */
export interface Option {
  label: string;
  value: unknown;
}

export interface Choice {
  code: string;
  label: string;
  /** Phrases that mean this choice wherever they stand in a message; label and code count only as an answer to the question. */
  words: readonly string[];
}

/** What the catalogue says about a fact beside its key and kind. */
export interface FactDetail {
  label: string;
  question: string;
  choices?: readonly Choice[];
  /** Bounds of an integer, or of a text's length. */
  min?: number;
  max?: number;
  /** Words that name the fact: `3 bedrooms`, `with a wash`. */
  words?: readonly string[];
  /** Words that mean none of them: a `studio` has 0 bedrooms. */
  zeroWords?: readonly string[];
}

/** What a kind may look at beside the value. */
export interface FactContext {
  fact: FactDetail;
  services: readonly { code: string; name: string }[];
  /** The service of the request; undefined while it is undecided. */
  service: Priced | undefined;
}

/** A window in the words of its zone; an argument, because domain code has no calendar. */
export type FormatWindow = (window: TimeWindow) => string;

/** JSON type of a value as a structured client sends it. An `object` has a field of its own in the request, the rest stand in `details`. */
export type JsonType = 'string' | 'number' | 'boolean' | 'object';

/** Everything the rules know about one kind. Whatever gets a value after `fault` may name the kind's own type: it has been checked. */
export interface FactKindSpec {
  json: JsonType;
  /** Why a value cannot be this fact, in words that name what is allowed; undefined when it can. */
  fault(value: unknown, context: FactContext): Fault;
  /** Why the catalogue may not describe a fact of this kind so. */
  detailFault?(fact: FactDetail): Fault;
  /** A time that has passed is no longer a fact. Kinds without it never pass. */
  isPast?(value: unknown, now: number): boolean;
  /** The answers that can be listed beside the question. */
  options?(context: FactContext): Option[];
  /** The question itself names the options. */
  asksWithOptions?: true;
  /** The value as people write it. */
  text(value: unknown, context: FactContext, formatWindow: FormatWindow): string;
  /** The same in the middle of a sentence: `bare` where it speaks for itself, `labelled` where it does not. */
  short(text: string, fact: FactDetail): string;
  /** What is answered when something of this kind was understood and is not offered; `asked` is the question again. */
  unsupported?(asked: string, options: string): string;
}

const bare = (text: string) => text;
const labelled = (text: string, { label }: FactDetail) => `${label.toLowerCase()}: ${text.toLowerCase()}`;

/**
 * The kinds of facts. A new kind is one entry here and one in src/integrations/llm/kind/index.ts, which the compiler demands:
 * here stands what a value is, there how words become one.
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

/** The entry of a kind. The table itself has exact types, in which the optional parts cannot be asked for. */
export const kindOf = (kind: FactKind): FactKindSpec => factKinds[kind];
