import type { FactSpec, Location, ServiceSpec } from '../../../domain/intake/catalogue.ts';
import type { ClarifyReason, Option } from '../../../domain/intake/decide.ts';
import type { InterpretInput, PhraseCommand } from '../interpreter.ts';
import type { Token, Tokenize } from '../offline/vocabulary.ts';

/** A message while it is being searched for facts. */
export interface Message {
  input: InterpretInput;
  /** As it was said: a note keeps the phone number that the other readings must not see. */
  original: string;
  tokens: Token[];
  tokenize: Tokenize;
  /** The text, less what has been read: the 2 of `2 bedrooms` is not a time. */
  rest: string;
  /** What was found, as phrases. */
  commands: PhraseCommand[];
  /** The person says that something they said before is different. */
  changing: boolean;
  /** The service after what has been read. */
  service: ServiceSpec | undefined;
}

/** A fact was named in the message; `phrase` is bound to a value later. */
export function say({ input: { known }, commands }: Message, key: string, phrase: string): void {
  commands.push({ do: key in known ? 'correct_fact' : 'set_fact', key, value: phrase });
}

/** What a phrase is bound against. */
export interface Binding {
  input: InterpretInput;
  fact: FactSpec;
  service: ServiceSpec | undefined;
  location: Location | undefined;
}

/** A value, or why it has to be asked. */
export type Bound = { value: unknown; confidence?: number } | { ask: ClarifyReason; options?: readonly Option[] };

export const bound = (value: unknown): Bound => (value === undefined ? { ask: 'not_understood' } : { value });

/** Everything the reading side knows about one kind of fact. */
export interface KindReading {
  /** One sentence for a model: how it writes a value of this kind. Empty where a plain text does. */
  prompt: string;
  /** What a model is told about a value that is known. */
  brief(value: unknown): unknown;
  /** Without a model: looks for the fact in the message and says the phrase that names it. */
  find(message: Message, fact: FactSpec): void | Promise<void>;
  /** What a phrase means, whether a model or `find` has named it. */
  bind(phrase: string, binding: Binding): Bound | Promise<Bound>;
  /** The offered option that a message fits, where words and numbers named none. */
  pick?(input: InterpretInput): Promise<number | undefined>;
}
