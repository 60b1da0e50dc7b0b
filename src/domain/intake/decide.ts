import {
  factOf,
  findService,
  requiredKeys,
  servicesOf,
  type Catalogue,
  type Location,
  type ServiceSpec,
  type TimeWindow,
} from './catalogue.ts';
import { kindOf } from './fact-kind.ts';
import { contextOf, faultOf } from './facts.ts';
import type {
  AcceptedFact,
  Advance,
  AdvanceInput,
  Asked,
  Draft,
  KnownFacts,
  KnownFact,
  Option,
  Proposal,
  RejectedFact,
  Step,
} from './types.ts';
import type { Money } from '../money.ts';

export type * from './types.ts';

/**
 * Decides one turn of intake: checks every proposal, keeps the facts that the catalogue allows, and chooses the one next step.
 * Pure and deterministic: the same input gives the same turn, whichever interpreter made the proposals.
 */
export function advance(input: AdvanceInput): Advance {
  const { catalogue, proposals, asked, known } = input;
  const { accepted, rejected } = takeFacts(input);
  const merged: Record<string, KnownFact> = { ...known };
  for (const { key, value, confidence, confirmed } of accepted) merged[key] = { value, confidence, confirmed };
  const { facts, stale } = validFacts(input, merged);
  const service = serviceIn(catalogue, facts);
  const missing = requiredKeys(service).filter((key) => !(key in facts));
  const draft = missing.length === 0 ? draftOf(catalogue, facts) : null;
  const pending: Extract<Step, { do: 'ask' | 'confirm' }> = draft
    ? { do: 'confirm', draft }
    : { do: 'ask', key: missing[0]!, options: optionsFor(catalogue, service, missing[0]!) };
  const wasShown = input.draftShown === 'current' && accepted.length === 0 && Object.keys(known).every((key) => key in facts);
  const seen = { draftSeen: wasShown, anyDraftSeen: input.draftShown !== 'none' };
  const step = chooseStep({ proposals, asked, accepted, rejected, facts, pending, ...seen, catalogue, service });
  return {
    accepted,
    rejected: [...rejected, ...stale],
    facts,
    service: service?.code ?? null,
    missing,
    step,
    asked: askedAfter(step, asked),
  };
}

/** Accepts or rejects each proposed fact. The service is checked first, because the other facts depend on the service. */
function takeFacts({ catalogue, known, proposals, asked, now }: AdvanceInput): Pick<Advance, 'accepted' | 'rejected'> {
  const wanted = proposals
    .flatMap((proposal) => factIn(proposal, asked))
    .sort((a, b) => Number(b.key === 'service') - Number(a.key === 'service'));
  const accepted = new Map<string, AcceptedFact>();
  const rejected = new Map<string, RejectedFact>();
  for (const { key, value, confidence, confirmed } of wanted) {
    const service = findService(catalogue, accepted.get('service')?.value ?? known['service']?.value);
    const fault = faultIn(catalogue, service, key, value, now);
    if (fault) rejected.set(key, fault);
    else if (confirmed || !sameValue(known[key]?.value, value))
      accepted.set(key, { key, value, confidence, confirmed, corrects: key in known });
  }
  return { accepted: [...accepted.values()], rejected: [...rejected.values()].filter(({ key }) => !accepted.has(key)) };
}

function factIn(proposal: Proposal, asked: Asked | null): { key: string; value: unknown; confidence: number; confirmed: boolean }[] {
  if (proposal.do === 'accept_suggestion') {
    const option = asked?.options[proposal.option];
    const isFact = asked && asked.key !== 'change' && asked.key !== 'cancel';
    return option && isFact ? [{ key: asked.key, value: option.value, confidence: 1, confirmed: true }] : [];
  }
  if (proposal.do !== 'set_fact' && proposal.do !== 'correct_fact') return [];
  const confidence = Math.min(1, Math.max(0, proposal.confidence ?? 1));
  return [{ key: proposal.key, value: proposal.value, confidence: Number.isNaN(confidence) ? 0 : confidence, confirmed: false }];
}

function faultIn(
  catalogue: Catalogue,
  service: ServiceSpec | undefined,
  key: string,
  value: unknown,
  now: number,
): RejectedFact | undefined {
  const fact = factOf(service, key);
  if (!fact) {
    const elsewhere = servicesOf(catalogue).some((other) => other.facts.some((own) => own.key === key));
    return { key, reason: elsewhere ? 'not_of_this_service' : 'unknown_fact', message: 'is not something this service asks for' };
  }
  const message = faultOf(catalogue, service, fact, value);
  if (message !== undefined) return { key, reason: 'invalid', message };
  return kindOf(fact.kind).isPast?.(value, now) ? { key, reason: 'past', message: 'must lie in the future' } : undefined;
}

/**
 * Checks all known facts again: another service, a newer catalogue or the passing of time can make a fact invalid.
 * Facts that the current service does not have are dropped silently. The person is told about the others (`stale`).
 */
function validFacts({ catalogue, now }: AdvanceInput, merged: KnownFacts): { facts: KnownFacts; stale: RejectedFact[] } {
  const service = serviceIn(catalogue, merged);
  const facts: Record<string, KnownFact> = {};
  const stale: RejectedFact[] = [];
  for (const key of Object.keys(merged).sort()) {
    const fault = faultIn(catalogue, service, key, merged[key]!.value, now);
    if (!fault) facts[key] = merged[key]!;
    else if (fault.reason === 'invalid' || fault.reason === 'past') stale.push(fault);
  }
  return { facts, stale };
}

const serviceIn = (catalogue: Catalogue, facts: KnownFacts) => findService(catalogue, facts['service']?.value);

interface Choosing extends Pick<Advance, 'accepted' | 'rejected' | 'facts'> {
  proposals: readonly Proposal[];
  asked: Asked | null;
  pending: Extract<Step, { do: 'ask' | 'confirm' }>;
  /** `draftSeen`: the person has seen exactly this draft. `anyDraftSeen`: the person has seen some draft. */
  draftSeen: boolean;
  anyDraftSeen: boolean;
  catalogue: Catalogue;
  service: ServiceSpec | undefined;
}

/** Chooses by precedence: the wish for a human, the wish to cancel, unclear or refused facts, a yes to the draft, small talk. */
function chooseStep(choosing: Choosing): Step {
  const { proposals, asked, accepted, rejected, facts, pending, draftSeen, anyDraftSeen, catalogue, service } = choosing;
  const has = <D extends Proposal['do']>(what: D) => proposals.find((one): one is Extract<Proposal, { do: D }> => one.do === what);
  if (has('hand_off')) return { do: 'hand_off' };
  // A message that also states facts changes the request. Such a message does not cancel.
  const cancel = accepted.length === 0 ? has('cancel') : undefined;
  if (cancel?.explicit) return { do: 'cancel' };
  if (cancel) return { do: 'clarify', key: 'cancel', reason: 'not_understood', options: [] };

  const unclear = proposals.find(
    (one) => one.do === 'ask' && factOf(service, one.key) !== undefined && !accepted.some(({ key }) => key === one.key),
  );
  if (unclear?.do === 'ask') {
    // A proposal without options gets the options of the plain question.
    const options = unclear.options?.length ? unclear.options : optionsFor(catalogue, service, unclear.key);
    return { do: 'clarify', key: unclear.key, reason: unclear.reason, options };
  }
  const refused = rejected.find(({ key, reason }) => (reason === 'invalid' || reason === 'past') && !(key in facts && asked?.key !== key));
  if (refused) {
    const reason = refused.reason === 'past' ? 'past' : 'not_understood';
    return { do: 'clarify', key: refused.key, reason, options: optionsFor(catalogue, service, refused.key) };
  }
  // While a question is open, a yes answers the question and not the draft.
  if (has('confirm_draft') && asked === null && pending.do === 'confirm' && draftSeen) return { ...pending, do: 'submit' };
  const talk = accepted.length === 0 ? has('small_talk') : undefined;
  if (talk?.topic === 'no' && pending.do === 'confirm' && anyDraftSeen)
    return { do: 'clarify', key: 'change', reason: 'wanted_change', options: [] };
  if (talk && talk.topic !== 'no') return { do: 'chat', topic: talk.topic, pending };
  return pending;
}

function askedAfter(step: Step, before: Asked | null): Asked | null {
  const open = step.do === 'chat' ? step.pending : step;
  if (open.do !== 'ask' && open.do !== 'clarify') return null;
  return { key: open.key, options: open.options, times: before?.key === open.key ? before.times + 1 : 1 };
}

/** The answers that the reply can list beside the question about this fact; empty when the answers cannot be listed. */
export function optionsFor(catalogue: Catalogue, service: ServiceSpec | undefined, key: string): Option[] {
  const fact = factOf(service, key);
  return (fact && kindOf(fact.kind).options?.(contextOf(catalogue, service, fact))) ?? [];
}

/** The draft in its canonical form, or null while a required fact is missing. */
export function draftOf(catalogue: Catalogue, facts: KnownFacts): Draft | null {
  const service = serviceIn(catalogue, facts);
  if (!service || requiredKeys(service).some((key) => !(key in facts))) return null;
  const valueOf = <T>(key: string) => facts[key]?.value as T | undefined;
  const details = Object.fromEntries(service.facts.filter(({ key }) => key in facts).map(({ key }) => [key, facts[key]!.value]));
  return {
    catalogueVersion: catalogue.version,
    service: service.code,
    location: valueOf<Location>('location')!,
    when: valueOf<TimeWindow>('when')!,
    budget: valueOf<Money>('budget') ?? null,
    notes: valueOf<string>('notes') ?? null,
    details,
  };
}

/** JSON with sorted keys and no spaces: equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}

const sameValue = (a: unknown, b: unknown) => a !== undefined && canonicalJson(a) === canonicalJson(b);
