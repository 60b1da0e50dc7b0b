import { checkFacts } from '../../domain/intake/facts.ts';
import type { DraftSummary } from '../../domain/request/types.ts';
import type { Db } from '../orm.ts';
import { loadCatalogue } from './catalogue.ts';
import { currentFacts, stageFacts, summariseDraft, type StoredFact } from './draft.ts';

/** Facts as a structured client sends them; the service's own ones under `details`. */
export interface GivenFacts {
  service?: string | undefined;
  location?: unknown;
  when?: unknown;
  budget?: unknown;
  notes?: unknown;
  details?: Record<string, unknown> | undefined;
}

/**
 * Checks and stages what a client sent on top of what is known, and says what the draft would be.
 * @throws validation_failed naming every fault
 */
export async function stageDraft(
  em: Db,
  { requestId, facts, catalogueVersion }: { requestId: string; facts: GivenFacts; catalogueVersion?: number },
): Promise<DraftSummary> {
  const stream = `request/${requestId}`;
  const catalogue = await loadCatalogue(em, catalogueVersion);
  const known = await currentFacts(em, stream);
  const { details = {}, ...universal } = facts;
  const given = Object.fromEntries(Object.entries({ ...universal, ...details }).filter(([, value]) => value !== undefined));
  checkFacts(catalogue, { ...Object.fromEntries(known.map(({ key, value }) => [key, value])), ...given });
  const staged = await stageFacts(
    em,
    stream,
    Object.entries(given).map(([key, value]) => ({ key, value, confidence: 1, confirmed: true, sourceMessageId: null })),
  );
  const merged: StoredFact[] = [...known.filter(({ key }) => !(key in given)), ...staged];
  return summariseDraft(catalogue, merged).summary;
}
