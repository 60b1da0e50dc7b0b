// The draft belongs to the request's run. A writer sends its changes and the position up to which it had read the timeline. The run merges
// them.
import type { Currency } from '../money.ts';

/** compare: providers propose and the consumer chooses. instant: the first provider who accepts is booked. */
export type RequestMode = 'compare' | 'instant';

/** One fact of a draft, by its id. The value stays in Postgres. */
export interface FactRef {
  key: string;
  factId: string;
}

/** The draft as the run knows it: ids, codes and what the rules need. */
export interface DraftSummary {
  facts: FactRef[];
  service: string | null;
  missing: string[];
  /** The hash that a yes must name; null while a required fact is missing. */
  hash: string | null;
  /** `price`: bounds of the service's price, in minor units. `windowEndsAt`: when the window to start in closes, RFC 3339. */
  price: { min: number; max: number; currency: Currency } | null;
  windowEndsAt: string | null;
  /** The search area's label: never an address. */
  region: string | null;
  /** Keys that every complete draft of this service has. Absent on timelines of the first two releases. */
  required?: string[];
}

/** What the rules need of a service. The writer's values were checked against this service. */
export interface ServiceTerms {
  code: string | null;
  required: string[];
  price: DraftSummary['price'];
}

/** A writer's changes to the draft. The values are staged rows, which the event makes effective. */
export interface DraftChanges {
  /** The position of the timeline that the writer had read. */
  basedOn: number;
  /** New facts. Each replaces the fact with the same key. */
  set: FactRef[];
  /** Keys of the facts to remove. */
  drop: string[];
  /** The service after these changes, as the writer saw it. */
  service: ServiceTerms;
  /** The end of the window, RFC 3339, if `set` holds a new `when`. */
  windowEndsAt?: string;
  /** The label of the place, if `set` holds a new `location`. */
  region?: string;
}

/** By key: the position at which its fact was last set or dropped. */
export type ChangedAt = Readonly<Record<string, number>>;

/** Facts that mean the same for every service. All others are checked against the service of the draft. */
const independent: ReadonlySet<string> = new Set(['location', 'when', 'notes']);

/**
 * Merges a writer's changes into the draft, which others may have changed since the writer read it.
 * @returns the merged draft, and the keys at which the writer contradicts a newer change: these keep the newer fact
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
  const clashing = touched.filter((key) => newer.some((other) => depends(key, other)));
  // Facts that were read for another service make no sense without that service.
  const contradicted = clashing.includes('service') ? touched.filter((key) => clashing.includes(key) || depends(key, 'service')) : clashing;
  const counts = (key: string) => !contradicted.includes(key);
  const set = changes.set.filter(({ key }) => counts(key));
  const gone = new Set([...set.map(({ key }) => key), ...changes.drop.filter(counts)]);
  const facts = [...draft.facts.filter(({ key }) => !gone.has(key)), ...set];
  const has = (key: string) => facts.some((fact) => fact.key === key);

  const terms = newer.includes('service') || contradicted.includes('service') ? termsIn(draft) : changes.service;
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

/**
 * Whether the value of `key` depends on that of `other`. A key depends on itself. The service and the facts that are checked against it
 * depend on each other.
 */
function depends(key: string, other: string): boolean {
  if (key === other) return true;
  if (independent.has(key) || independent.has(other)) return false;
  return key === 'service' || other === 'service';
}

/**
 * The service's terms as the draft knows them. Timelines of the first two releases have no `required`: for them, what was missing stays
 * required.
 */
const termsIn = ({ service, price, missing, required }: DraftSummary): ServiceTerms => ({
  code: service,
  price,
  required: required ?? [...new Set(['service', ...missing, 'location', 'when'])],
});

/**
 * The hash that a yes names: equal for the same facts in the same mode, in any order. Ids of facts are random, so their exclusive or
 * identifies the set: Zobrist, "A New Hashing Method", 1970.
 */
export function draftHash(facts: readonly FactRef[], mode: string): string {
  const sum = facts.reduce((before, { factId }) => before ^ BigInt(`0x${factId.replaceAll('-', '')}`), 0n);
  return `${mode}-${sum.toString(36)}`;
}

/** The position of each key's last change, after the event at position `seq` has replaced the draft `before` by `after`. */
export function changedAtAfter(known: ChangedAt, before: DraftSummary, after: DraftSummary, seq: number): ChangedAt {
  const idsOf = ({ facts }: DraftSummary) => new Map(facts.map(({ key, factId }) => [key, factId]));
  const [old, fresh] = [idsOf(before), idsOf(after)];
  const changed = [...new Set([...old.keys(), ...fresh.keys()])].filter((key) => old.get(key) !== fresh.get(key));
  return changed.length ? { ...known, ...Object.fromEntries(changed.map((key) => [key, seq])) } : known;
}

/** Keys of the facts that are in `before` and not in `after`. */
export const droppedFrom = (before: DraftSummary, after: DraftSummary): string[] =>
  before.facts.map(({ key }) => key).filter((key) => !after.facts.some((fact) => fact.key === key));
