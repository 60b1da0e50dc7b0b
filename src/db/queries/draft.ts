// Facts in Postgres. Values stay here; the run gets ids, codes and the values that its rules need.
import { randomUUID } from 'node:crypto';
import { findService, requiredKeys, type Catalogue, type Location, type TimeWindow } from '../../domain/intake/catalogue.ts';
import type { KnownFact } from '../../domain/intake/types.ts';
import type { DraftChanges, FactRef, ServiceTerms } from '../../domain/request/draft.ts';
import { sql, type Db } from '../orm.ts';

export interface StoredFact extends KnownFact, FactRef {}

/** A request's draft: its facts, and the position of the timeline at which they are read. */
export interface StoredDraft {
  facts: StoredFact[];
  seq: number;
}

/** The current facts of a request's draft. One statement reads facts and position, so that they belong together. */
export async function readDraft(em: Db, requestId: string): Promise<StoredDraft> {
  const stream = `request/${requestId}`;
  const [row] = await sql<StoredDraft>(
    em,
    `select coalesce((select max(seq) from event where stream = ?), 0)::int as seq,
       coalesce((select jsonb_agg(jsonb_build_object('factId', id, 'key', key, 'value', value, 'confidence', confidence, 'confirmed', confirmed)
         order by created_at, id) from fact where stream = ? and status = 'current'), '[]') as facts`,
    [stream, stream],
  );
  return row!;
}

/** The values of the agreed facts, by key. */
export async function agreedFacts(em: Db, factIds: readonly string[]): Promise<Record<string, unknown>> {
  const rows = await sql<{ key: string; value: unknown }>(em, 'select key, value from fact where id = any(?::uuid[])', [
    `{${factIds.join(',')}}`,
  ]);
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}

/**
 * SQL condition on `fact f` and `request r`: the facts of a request that count. Once facts were agreed to, those count; before
 * that, the current ones. Every reader uses this condition.
 */
export const factsThatCount = `f.stream = 'request/' || r.id and case when r.agreed_facts is null then f.status = 'current' else f.id = any(r.agreed_facts) end`;

export interface NewFact extends KnownFact {
  key: string;
  sourceMessageId: string | null;
}

/** Stages facts. No query reads them before an event makes them current. */
export async function stageFacts(tx: Db, requestId: string, facts: readonly NewFact[]): Promise<StoredFact[]> {
  const staged = facts.map((fact) => ({ ...fact, factId: randomUUID() as string }));
  if (staged.length) {
    await sql(
      tx,
      `insert into fact (id, stream, key, value, confidence, confirmed, source_message_id)
       select "factId", ?, key, value, confidence, confirmed, "sourceMessageId"
       from jsonb_to_recordset(?::jsonb) as f("factId" uuid, key text, value jsonb, confidence real, confirmed boolean, "sourceMessageId" uuid)`,
      [`request/${requestId}`, JSON.stringify(staged)],
    );
  }
  return staged;
}

/**
 * The changes of a draft, in the shape that the run gets.
 * @param known the draft that the writer had read
 * @param set staged facts
 * @param drop keys that no longer count
 */
export function changesOf(catalogue: Catalogue, known: StoredDraft, set: readonly StoredFact[], drop: readonly string[]): DraftChanges {
  const valueOf = <T>(key: string) => set.find((fact) => fact.key === key)?.value as T | undefined;
  const when = valueOf<TimeWindow>('when');
  const location = valueOf<Location>('location');
  const service = valueOf<string>('service') ?? known.facts.find(({ key }) => key === 'service' && !drop.includes(key))?.value;
  return {
    basedOn: known.seq,
    set: set.map(({ key, factId }) => ({ key, factId })),
    drop: [...drop],
    service: termsOfService(catalogue, service),
    ...(when && { windowEndsAt: when.to }),
    ...(location && { region: location.place }),
  };
}

function termsOfService(catalogue: Catalogue, code: unknown): ServiceTerms {
  const service = findService(catalogue, code);
  return {
    code: service?.code ?? null,
    required: requiredKeys(service),
    price: service ? { ...service.priceCents, currency: service.currency } : null,
  };
}
