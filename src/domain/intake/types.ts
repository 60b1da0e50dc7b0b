import type { Catalogue, Location, TimeWindow } from './catalogue.ts';
import type { Option } from './fact-kind.ts';
import type { Money } from '../money.ts';

export type { Option } from './fact-kind.ts';

/** The open question. The keys `change` ("What should I change?") and `cancel` ("Do you want to cancel?") concern the whole draft. */
export interface Asked {
  key: string;
  options: readonly Option[];
  /** How often in a row this question has been asked. */
  times: number;
}

/** The reason for asking again about a fact that the person has already mentioned. */
export type ClarifyReason = 'ambiguous' | 'past' | 'no_such_time' | 'unknown_place' | 'not_understood' | 'wanted_change' | 'unsupported';

export type Topic = 'greeting' | 'thanks' | 'goodbye' | 'price' | 'services' | 'duration' | 'process' | 'no' | 'other';

/** A proposal of an interpreter. `advance` checks every proposal before it has an effect. */
export type Proposal =
  | { do: 'set_fact' | 'correct_fact'; key: string; value: unknown; confidence?: number }
  | { do: 'ask'; key: string; reason: ClarifyReason; options?: readonly Option[] }
  | { do: 'accept_suggestion'; option: number }
  | { do: 'confirm_draft' }
  /** `explicit`: the person's own words ask to cancel. Otherwise Proxie asks for a confirmation first. */
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
  /** Whether the fact had a value before this turn. */
  corrects: boolean;
}

export interface RejectedFact {
  key: string;
  reason: 'unknown_fact' | 'invalid' | 'past' | 'not_of_this_service';
  /** The allowed values, in words for the person. */
  message: string;
}

/** The facts as Proxie would send them to providers. */
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
  /** Answers small talk first; `pending` is the question that stays open. */
  | { do: 'chat'; topic: Topic; pending: Extract<Step, { do: 'ask' | 'confirm' }> };

export interface AdvanceInput {
  catalogue: Catalogue;
  known: KnownFacts;
  proposals: readonly Proposal[];
  asked: Asked | null;
  /** The draft that the person has seen last: `none`; `earlier`, one that has changed since; `current`, the one that `known` makes. */
  draftShown: 'none' | 'earlier' | 'current';
  /** Milliseconds since the epoch. A window that has ended by then is not accepted. */
  now: number;
}

export interface Advance {
  accepted: AcceptedFact[];
  rejected: RejectedFact[];
  /** All known facts after this turn that are valid for the service. */
  facts: KnownFacts;
  service: string | null;
  missing: string[];
  step: Step;
  /** The open question after this turn, input of the next turn. */
  asked: Asked | null;
}
