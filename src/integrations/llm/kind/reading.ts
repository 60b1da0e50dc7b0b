import type { FactSpec, Location, ServiceSpec } from '../../../domain/intake/catalogue.ts';
import type { ClarifyReason, Option } from '../../../domain/intake/decide.ts';
import type { InterpretInput, PhraseCommand } from '../interpreter.ts';
import type { Token, Tokenize } from '../offline/vocabulary.ts';

/** A message while it is being searched for facts. */
export interface Message {
  input: InterpretInput;
  /** The text with marks for phone numbers and e-mail addresses. A note keeps them; other readings use `rest`, without the marks. */
  original: string;
  tokens: Token[];
  tokenize: Tokenize;
  /** The text without the parts that were already read: the 2 of `2 bedrooms` must not be read as a time. */
  rest: string;
  /** The facts found so far, as phrases. */
  commands: PhraseCommand[];
  /** Whether the person changes something that they said before. */
  changing: boolean;
  /** The service as far as the message has been read. */
  service: ServiceSpec | undefined;
}

/** Records that the message names a fact. `phrase` is bound to a value later. */
export function say({ input: { known }, commands }: Message, key: string, phrase: string): void {
  commands.push({ do: key in known ? 'correct_fact' : 'set_fact', key, value: phrase });
}

/** Input of `bind` beside the phrase. */
export interface Binding {
  input: InterpretInput;
  fact: FactSpec;
  service: ServiceSpec | undefined;
  location: Location | undefined;
}

/** A value, or the reason why the person has to be asked. */
export type Bound = { value: unknown; confidence?: number } | { ask: ClarifyReason; options?: readonly Option[] };

export const bound = (value: unknown): Bound => (value === undefined ? { ask: 'not_understood' } : { value });

/** How messages are read for one kind of fact. */
export interface KindReading {
  /** One sentence that tells a model how to write a value of this kind; empty for plain text. */
  prompt: string;
  /** The form in which a model is told a known value. */
  brief(value: unknown): unknown;
  /** Used without a model: looks for the fact in the message and records its phrase with `say`. */
  find(message: Message, fact: FactSpec): void | Promise<void>;
  /** Turns a phrase of a model or of `find` into a value. */
  bind(phrase: string, binding: Binding): Bound | Promise<Bound>;
  /** The index of the offered option that the message means. Called when neither a number nor a label named an option. */
  pick?(input: InterpretInput): Promise<number | undefined>;
}
