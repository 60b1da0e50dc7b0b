import type { Catalogue } from '../../domain/intake/catalogue.ts';
import type { Asked, KnownFacts, Proposal } from '../../domain/intake/decide.ts';

/** A place people name in chat: one row of the gazetteer. */
export interface GazetteerPlace {
  name: string;
  aliases: readonly string[];
  lat: number;
  lon: number;
  zone: string;
}

export interface InterpretInput {
  /** What the person said last; several waiting messages are joined by line breaks. */
  text: string;
  /** The conversation before it, oldest first. */
  history: readonly { by: 'person' | 'assistant'; text: string }[];
  catalogue: Catalogue;
  known: KnownFacts;
  asked: Asked | null;
  /** A draft is on the table and waits for a yes. */
  draftShown: boolean;
  places: readonly GazetteerPlace[];
  /** IANA zone of the person, used until a place is known. */
  zone: string;
  /** Instant, RFC 3339. */
  now: string;
}

export interface InterpretOptions {
  signal?: AbortSignal;
  /** Pieces of the acknowledgement while it is being written. Display only: the reply that is stored is the truth. */
  onDelta?: (text: string) => void;
}

export interface Usage {
  inputTokens: number;
  outputTokens: number;
}

export interface Interpretation {
  proposals: Proposal[];
  /** One short sentence of acknowledgement, already checked against what the person said. */
  ack?: string;
  usage: Usage;
  /** `offline`, or the model that answered. */
  model: string;
  promptVersion: string;
  /** Why the model's answer was not used, when it was not. */
  fellBack?: string;
}

/** Understands a message; decides nothing. */
export interface Interpreter {
  interpret(input: InterpretInput, options?: InterpretOptions): Promise<Interpretation>;
}

/**
 * What an interpreter extracts before code has bound it: phrases, never instants, ids or coordinates.
 * The model's JSON and the offline reading are both this.
 */
export interface PhraseCommand {
  do: Proposal['do'];
  key?: string | undefined;
  value?: string | undefined;
}
