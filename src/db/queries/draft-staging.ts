import { factsOf, findService } from '../../domain/intake/catalogue.ts';
import { canonicalJson } from '../../domain/intake/decide.ts';
import { checkFacts } from '../../domain/intake/facts.ts';
import type { DraftChanges } from '../../domain/request/draft.ts';
import type { Db } from '../orm.ts';
import { loadCatalogue } from './catalogue.ts';
import { changesOf, readDraft, stageFacts } from './draft.ts';

/** Facts as a structured client sends them; facts of the service are under `details`. */
export interface GivenFacts {
  service?: string | undefined;
  location?: unknown;
  when?: unknown;
  budget?: unknown;
  notes?: unknown;
  details?: Record<string, unknown> | undefined;
}

/**
 * Checks the facts that a client sent together with the known ones, and stages those that are new. When the service changes,
 * facts that the new service does not have leave the draft.
 * @returns the changes for the run, and the keys that the draft still lacks with them
 * @throws validation_failed naming every fault
 */
export async function stageDraft(
  em: Db,
  { requestId, facts, catalogueVersion }: { requestId: string; facts: GivenFacts; catalogueVersion?: number },
): Promise<{ changes: DraftChanges; missing: string[] }> {
  const catalogue = await loadCatalogue(em, catalogueVersion);
  const known = await readDraft(em, requestId);
  const { details = {}, ...universal } = facts;
  const given = Object.fromEntries(Object.entries({ ...universal, ...details }).filter(([, value]) => value !== undefined));
  const before = Object.fromEntries(known.facts.map(({ key, value }) => [key, value]));
  const isNew = (key: string) => !(key in before) || canonicalJson(before[key]) !== canonicalJson(given[key]);

  const ofService = factsOf(findService(catalogue, given['service'] ?? before['service'])).map(({ key }) => key);
  const drop = isNew('service') && 'service' in given ? Object.keys(before).filter((key) => !ofService.includes(key)) : [];
  const kept = Object.fromEntries(Object.entries(before).filter(([key]) => !drop.includes(key)));
  checkFacts(catalogue, { ...kept, ...given });

  const fresh = Object.keys(given).filter(isNew);
  const staged = await stageFacts(
    em,
    requestId,
    fresh.map((key) => ({ key, value: given[key], confidence: 1, confirmed: true, sourceMessageId: null })),
  );
  const changes = changesOf(catalogue, known, staged, drop);
  return { changes, missing: changes.service.required.filter((key) => !(key in kept || key in given)) };
}
