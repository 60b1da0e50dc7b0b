import type { Catalogue } from '../../domain/intake/catalogue.ts';
import type { Asked, KnownFacts, Proposal } from '../../domain/intake/decide.ts';

/** One row of the gazetteer, a place that people name in chat. Coordinates in degrees, `zone` an IANA name. */
export interface GazetteerPlace {
  name: string;
  aliases: readonly string[];
  lat: number;
  lon: number;
  zone: string;
}

export interface InterpretInput {
  /** The person's last message. Several unanswered messages are joined by line breaks. */
  text: string;
  /** The conversation before `text`, oldest message first. */
  history: readonly { by: 'person' | 'assistant'; text: string }[];
  catalogue: Catalogue;
  known: KnownFacts;
  asked: Asked | null;
  /** Whether the person has been shown a draft that waits for a yes. */
  draftShown: boolean;
  places: readonly GazetteerPlace[];
  /** The person's IANA zone, used until a place is known. */
  zone: string;
  /** Instant, RFC 3339. */
  now: string;
}

export interface InterpretOptions {
  signal?: AbortSignal;
  /** Receives pieces of the acknowledgement while the model writes. For display only: the stored reply is authoritative. */
  onDelta?: (text: string) => void;
}

export interface Usage {
  inputTokens: number;
  outputTokens: number;
}

export interface Interpretation {
  proposals: Proposal[];
  /** One short sentence of acknowledgement, already checked against the person's messages. */
  ack?: string;
  usage: Usage;
  /** `offline`, or the name of the model that answered. */
  model: string;
  promptVersion: string;
  /** The reason why the offline interpreter answered instead of the model; absent when the model answered. */
  fellBack?: string;
}

/** Turns a message into proposals. The rules (`advance`) decide which of them take effect. */
export interface Interpreter {
  interpret(input: InterpretInput, options?: InterpretOptions): Promise<Interpretation>;
}

/**
 * A command with a phrase that code has not yet bound to a value. Phrases are words, never instants, ids or coordinates.
 * The model's JSON and the offline interpreter both produce this type.
 */
export interface PhraseCommand {
  do: Proposal['do'];
  key?: string | undefined;
  value?: string | undefined;
}
