// The draft belongs to the request's run: writers say what they change and how far they had read, the run merges.
import type { Currency } from '../money.ts';

/** compare: providers propose and the consumer chooses. instant: the first provider who accepts is booked. */
export type RequestMode = 'compare' | 'instant';

/** One fact of a draft, by its id: the value stays in Postgres. */
export interface FactRef {
  key: string;
  factId: string;
}

/** The draft as the run knows it: ids, codes and what the rules need. */
export interface DraftSummary {
  facts: FactRef[];
  service: string | null;
  missing: string[];
  /** What a yes names; null while something is missing. */
  hash: string | null;
  /** Bounds of the service's price, and when the window to start in closes. */
  price: { min: number; max: number; currency: Currency } | null;
  windowEndsAt: string | null;
  /** The search area's label: never an address. */
  region: string | null;
  /** Keys without which no draft of this service is complete; timelines of the first two releases do not say. */
  required?: string[];
}

/** What the rules need to know of the service that a writer's values were checked against. */
export interface ServiceTerms {
  code: string | null;
  required: string[];
  price: DraftSummary['price'];
}

/** What a writer changes. The values are staged rows, which the event makes effective. */
export interface DraftChanges {
  /** The position of the timeline that the writer had read. */
  basedOn: number;
  /** Facts that count from now on, each in place of the one with its key. */
  set: FactRef[];
  /** Keys whose fact no longer counts. */
  drop: string[];
  /** The service after these changes, as the writer saw it. */
  service: ServiceTerms;
  /** Of a new `when`: the end of its window, RFC 3339. */
  windowEndsAt?: string;
  /** Of a new `location`: its label. */
  region?: string;
}

/** Writers of the first two releases sent the whole draft: their recorded histories still replay. */
export type DraftWriting = { changes?: DraftChanges; draft?: undefined } | { draft: DraftSummary; changes?: undefined };

/** By key: the position at which its fact was last set or dropped. */
export type ChangedAt = Readonly<Record<string, number>>;

/** Facts that mean the same for every service. All others are checked against the service of the draft. */
const independent: ReadonlySet<string> = new Set(['location', 'when', 'notes']);

/**
 * The draft with a writer's changes on top of whatever others have written meanwhile.
 * @returns the merged draft, and the keys at which the writer contradicts something newer: those keep the newer fact
 */
export function mergeDraft(
  draft: DraftSummary,
  changedAt: ChangedAt,
  changes: DraftChanges,
  mode: string,
): { draft: DraftSummary; contradicted: string[] } {
  const { basedOn } = changes;
  const touched = [...changes.set.map(({ key }) => key), ...changes.drop];
  const newer = Object.keys(changedAt).filter((key) => changedAt[key]! > basedOn);
  const contradicted = touched.filter((key) => newer.some((other) => depends(key, other)));
  const counts = (key: string) => !contradicted.includes(key);
  const set = changes.set.filter(({ key }) => counts(key));
  const gone = new Set([...set.map(({ key }) => key), ...changes.drop.filter(counts)]);
  const facts = [...draft.facts.filter(({ key }) => !gone.has(key)), ...set];
  const has = (key: string) => facts.some((fact) => fact.key === key);

  const terms = newer.includes('service') ? termsIn(draft) : changes.service;
  const missing = terms.required.filter((key) => !has(key));
  const now = (key: string) => set.some((fact) => fact.key === key);
  return {
    contradicted,
    draft: {
      facts,
      service: terms.code,
      price: terms.price,
      required: terms.required,
      missing,
      hash: missing.length ? null : draftHash(facts, mode),
      windowEndsAt: now('when') ? (changes.windowEndsAt ?? null) : has('when') ? draft.windowEndsAt : null,
      region: now('location') ? (changes.region ?? null) : has('location') ? draft.region : null,
    },
  };
}

/** Whether a value of `key` was chosen in view of `other`: of itself, and of the service for what the service decides about. */
function depends(key: string, other: string): boolean {
  if (key === other) return true;
  if (independent.has(key) || independent.has(other)) return false;
  return key === 'service' || other === 'service';
}

/** Timelines of the first two releases do not say what the service requires: what was missing then still is. */
const termsIn = ({ service, price, missing, required }: DraftSummary): ServiceTerms => ({
  code: service,
  price,
  required: required ?? [...new Set(['service', ...missing, 'location', 'when'])],
});

/**
 * What a yes names: equal for the same facts in the same mode, whatever their order. Ids are random, so their exclusive or
 * identifies the set: Zobrist, "A New Hashing Method", 1970.
 */
export function draftHash(facts: readonly FactRef[], mode: string): string {
  const sum = facts.reduce((before, { factId }) => before ^ BigInt(`0x${factId.replaceAll('-', '')}`), 0n);
  return `${mode}-${sum.toString(36)}`;
}

/** Where each key was last set or dropped, after an event at `seq` has made `after` of `before`. */
export function changedAtAfter(known: ChangedAt, before: DraftSummary, after: DraftSummary, seq: number): ChangedAt {
  const idsOf = ({ facts }: DraftSummary) => new Map(facts.map(({ key, factId }) => [key, factId]));
  const [old, fresh] = [idsOf(before), idsOf(after)];
  const changed = [...new Set([...old.keys(), ...fresh.keys()])].filter((key) => old.get(key) !== fresh.get(key));
  return changed.length ? { ...known, ...Object.fromEntries(changed.map((key) => [key, seq])) } : known;
}

/** Keys that a draft had and its successor no longer has. */
export const droppedFrom = (before: DraftSummary, after: DraftSummary): string[] =>
  before.facts.map(({ key }) => key).filter((key) => !after.facts.some((fact) => fact.key === key));
