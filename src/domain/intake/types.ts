import type { Catalogue, Location, TimeWindow } from './catalogue.ts';
import type { Option } from './fact-kind.ts';
import type { Money } from '../money.ts';

export type { Option } from './fact-kind.ts';

/** The question that is open. `change` (what should be different?) and `cancel` (really?) are about the draft as a whole. */
export interface Asked {
  key: string;
  options: readonly Option[];
  /** How often in a row it has been asked. */
  times: number;
}

/** Why something has to be asked that was already talked about. */
export type ClarifyReason = 'ambiguous' | 'past' | 'no_such_time' | 'unknown_place' | 'not_understood' | 'wanted_change' | 'unsupported';

export type Topic = 'greeting' | 'thanks' | 'goodbye' | 'price' | 'services' | 'duration' | 'process' | 'no' | 'other';

/** What an interpreter may propose. Nothing of it is believed before `advance` has looked at it. */
export type Proposal =
  | { do: 'set_fact' | 'correct_fact'; key: string; value: unknown; confidence?: number }
  | { do: 'ask'; key: string; reason: ClarifyReason; options?: readonly Option[] }
  | { do: 'accept_suggestion'; option: number }
  | { do: 'confirm_draft' }
  /** `explicit` when the person's own words say so; otherwise it is asked first. */
  | { do: 'cancel'; explicit: boolean }
  | { do: 'hand_off' }
  | { do: 'small_talk'; topic: Topic };

export interface KnownFact {
  value: unknown;
  confidence: number;
  confirmed: boolean;
}
export type KnownFacts = Readonly<Record<string, KnownFact>>;

export interface AcceptedFact extends KnownFact {
  key: string;
  /** A different value was known before. */
  corrects: boolean;
}

export interface RejectedFact {
  key: string;
  reason: 'unknown_fact' | 'invalid' | 'past' | 'not_of_this_service';
  /** What is allowed, for the person. */
  message: string;
}

/** The facts as they would be sent out. */
export interface Draft {
  catalogueVersion: number;
  service: string;
  location: Location;
  when: TimeWindow;
  budget: Money | null;
  notes: string | null;
  /** The service's own facts. */
  details: Readonly<Record<string, unknown>>;
}

export type Step =
  | { do: 'ask'; key: string; options: readonly Option[] }
  | { do: 'clarify'; key: string; reason: ClarifyReason; options: readonly Option[] }
  | { do: 'confirm'; draft: Draft }
  | { do: 'submit'; draft: Draft }
  | { do: 'cancel' }
  | { do: 'hand_off' }
  /** Something to answer first; `pending` is the one question that stays open. */
  | { do: 'chat'; topic: Topic; pending: Extract<Step, { do: 'ask' | 'confirm' }> };

export interface AdvanceInput {
  catalogue: Catalogue;
  known: KnownFacts;
  proposals: readonly Proposal[];
  asked: Asked | null;
  /** Whether the person has seen a whole draft: no, one that has changed since, or the one that `known` makes. */
  draftShown: 'none' | 'earlier' | 'current';
  /** Milliseconds since the epoch: a time that has passed is no longer a fact. */
  now: number;
}

export interface Advance {
  accepted: AcceptedFact[];
  rejected: RejectedFact[];
  /** What is known now, and valid for the service. */
  facts: KnownFacts;
  service: string | null;
  missing: string[];
  step: Step;
  /** What to remember as the open question. */
  asked: Asked | null;
}
