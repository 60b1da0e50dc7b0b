// Facts and drafts in Postgres. Values stay here; the workflow gets ids, codes, the hash and what the rules need.
import { randomUUID } from 'node:crypto';
import { draftHash } from '../../contracts/draft.ts';
import { findService, requiredKeys, type Catalogue, type Location, type TimeWindow } from '../../domain/intake/catalogue.ts';
import { draftOf, type Draft } from '../../domain/intake/decide.ts';
import type { DraftSummary } from '../../domain/request/types.ts';
import { sql, type Db } from '../orm.ts';

export interface StoredFact {
  id: string;
  key: string;
  value: unknown;
  confidence: number;
  confirmed: boolean;
  sourceMessageId: string | null;
}

/** The facts a stream's draft is made of now. */
export async function currentFacts(em: Db, stream: string): Promise<StoredFact[]> {
  return sql<StoredFact>(
    em,
    `select id, key, value, confidence, confirmed, source_message_id as "sourceMessageId" from fact where stream = ? and status = 'current' order by created_at, id`,
    [stream],
  );
}

/** Stages facts: they exist, but nothing reads them before an event makes them current. */
export async function stageFacts(tx: Db, stream: string, facts: Omit<StoredFact, 'id'>[]): Promise<StoredFact[]> {
  const staged = facts.map((fact) => ({ ...fact, id: randomUUID() }));
  if (staged.length) {
    await sql(
      tx,
      `insert into fact (id, stream, key, value, confidence, confirmed, source_message_id)
       select id, ?, key, value, confidence, confirmed, "sourceMessageId"
       from jsonb_to_recordset(?::jsonb) as f(id uuid, key text, value jsonb, confidence real, confirmed boolean, "sourceMessageId" uuid)`,
      [stream, JSON.stringify(staged)],
    );
  }
  return staged;
}

/** What the workflow needs to know of a draft, and the draft itself once nothing is missing. */
export function summariseDraft(catalogue: Catalogue, facts: readonly StoredFact[]): { summary: DraftSummary; draft: Draft | null } {
  const known = Object.fromEntries(facts.map(({ key, value, confidence, confirmed }) => [key, { value, confidence, confirmed }]));
  const valueOf = <T>(key: string) => known[key]?.value as T | undefined;
  const service = findService(catalogue, valueOf<string>('service') ?? '');
  const draft = draftOf(catalogue, known);
  return {
    draft,
    summary: {
      facts: facts.map(({ key, id }) => ({ key, factId: id })),
      service: service?.code ?? null,
      missing: requiredKeys(service).filter((key) => !(key in known)),
      hash: draft && draftHash(draft),
      price: service ? { ...service.priceCents, currency: service.currency } : null,
      windowEndsAt: valueOf<TimeWindow>('when')?.to ?? null,
      region: valueOf<Location>('location')?.place ?? null,
    },
  };
}
