// The rows of a turn: what its answer starts from, and the transaction that ends it.
import type { Catalogue } from '../domain/intake/catalogue.ts';
import type { AcceptedFact, Asked } from '../domain/intake/decide.ts';
import type { TurnIntent } from '../domain/request/types.ts';
import { loadCatalogue } from '../db/queries/catalogue.ts';
import { changesOf, readDraft, stageFacts, type StoredDraft } from '../db/queries/draft.ts';
import { sql, type Db, type Orm } from '../db/orm.ts';
import { inTransaction, NotWritten } from '../db/transaction.ts';
import type { GazetteerPlace, Interpretation, InterpretInput } from '../integrations/llm/interpreter.ts';
import { draftHash } from '../domain/request/draft.ts';
import type { DraftChanges, RequestMode } from '../domain/request/draft.ts';

/** Ids and codes only: text and values stay in Postgres. */
export interface TurnOutcome {
  intent: TurnIntent;
  changes: DraftChanges;
  /** The hash of the draft that the person said yes to. */
  agreed: string | null;
}

/** The result of a finished turn: its answer to the workflow, and what the next turn needs. */
export interface StoredOutcome {
  answer: TurnOutcome;
  /** The interpretation of the message: a turn that is answered again needs no second model call. */
  read?: Interpretation;
  asked: Asked | null;
  /** The hash of the draft that the person saw last. */
  draftShown: string | null;
  /** Why the model did not answer; null when it did. */
  fellBack: string | null;
}

/** Number of earlier messages and replies that a model sees. Older turns live on as facts. */
const HISTORY = 8;

export interface TurnStart {
  attempt: number;
  consumerId: string;
  /** Whether the author is a guest. A guest may talk, but nothing is sent out for them. */
  guest: boolean;
  catalogue: Catalogue;
  mode: RequestMode;
  draft: StoredDraft;
  /** The interpretation of an earlier answer to the same turn, if the draft has changed since. */
  read: Interpretation | undefined;
  input: Pick<InterpretInput, 'text' | 'history' | 'zone'>;
  before: Pick<StoredOutcome, 'asked' | 'draftShown'>;
}

export interface TurnIds {
  requestId: string;
  turnId: string;
  messageId: string;
}

/** The result of a turn that has ended before. With it, a retry after a lost completion needs no second model call. */
export async function finishedTurn(em: Db, turnId: string): Promise<StoredOutcome | undefined> {
  const [row] = await sql<{ outcome: StoredOutcome }>(em, `select outcome from turn where id = ? and status = 'done'`, [turnId]);
  return row?.outcome;
}

/** Opens a turn again whose answer was given on an older draft. */
export async function reopenTurn(em: Db, turnId: string): Promise<void> {
  await sql(em, `update turn set status = 'streaming' where id = ? and status = 'done'`, [turnId]);
}

/** Marks a turn as being written and reads what its answer starts from. @returns undefined when there is no such open turn or message */
export async function beginTurn(em: Db, { requestId, turnId, messageId }: TurnIds): Promise<TurnStart | undefined> {
  const stream = `request/${requestId}`;
  const [turn] = await sql<{ attempt: number; outcome: StoredOutcome | null }>(
    em,
    `update turn set status = 'streaming', attempt = attempt + 1 where id = ? and stream = ? and status in ('pending', 'streaming')
     returning attempt, outcome`,
    [turnId, stream],
  );
  const [said] = await sql<{ text: string; guest: boolean; zone: string; consumerId: string; catalogueVersion: number; mode: RequestMode }>(
    em,
    `select m.text, m.author_role = 'guest' as guest, u.zone, r.consumer_id as "consumerId", r.catalogue_version as "catalogueVersion", r.mode
     from message m join request r on m.stream = 'request/' || r.id join user_account u on u.id = r.consumer_id where m.id = ? and r.id = ?`,
    [messageId, requestId],
  );
  if (!turn || !said) return undefined;
  const [last] = await sql<{ outcome: StoredOutcome | null }>(
    em,
    `select outcome from turn where stream = ? and status = 'done' order by finished_at desc, id desc limit 1`,
    [stream],
  );
  return {
    attempt: turn.attempt,
    consumerId: said.consumerId,
    guest: said.guest,
    catalogue: await loadCatalogue(em, said.catalogueVersion),
    mode: said.mode,
    draft: await readDraft(em, requestId),
    read: turn.outcome?.read,
    input: { text: said.text, zone: said.zone, history: await history(em, stream, messageId) },
    before: { asked: last?.outcome?.asked ?? null, draftShown: last?.outcome?.draftShown ?? null },
  };
}

async function history(em: Db, stream: string, messageId: string): Promise<InterpretInput['history']> {
  const rows = await sql<{ by: 'person' | 'assistant'; text: string }>(
    em,
    `select "by", text from (
       select 'person' as "by", m.text, m.created_at as at from message m
         where m.stream = ? and m.id <> ? and m.created_at <= (select created_at from message where id = ?)
       union all
       select 'assistant', t.reply, t.finished_at from turn t where t.stream = ? and t.status = 'done' and t.reply is not null
     ) said order by at desc limit ${HISTORY}`,
    [stream, messageId, messageId, stream],
  );
  return rows.reverse();
}

/** Reads the places of the gazetteer and keeps them for `keepMs`: they change with deployments, not with requests. */
export function placesReader(orm: Orm, keepMs = 60_000): () => Promise<GazetteerPlace[]> {
  let kept: { until: number; places: Promise<GazetteerPlace[]> } | undefined;
  return () => {
    if (kept && performance.now() < kept.until) return kept.places;
    const places = sql<GazetteerPlace>(orm.em.fork() as Db, 'select name, aliases, lat, lon, zone from place order by name');
    kept = { until: performance.now() + keepMs, places };
    places.catch(() => (kept = undefined));
    return places;
  };
}

export interface TurnEnd {
  intent: TurnIntent;
  reply: string;
  accepted: readonly AcceptedFact[];
  /** Keys of the facts that still count after this turn. All other facts leave the draft. */
  valid: readonly string[];
  asked: Asked | null;
  /** Whether the reply shows the whole draft. */
  showsDraft: boolean;
  read: Interpretation;
}

/**
 * Stages the facts and ends the turn, both or neither.
 * @returns undefined when the turn was ended meanwhile; the new draft when somebody has changed the one from which the turn started
 */
export async function finishTurn(
  orm: Orm,
  { requestId, turnId, messageId }: TurnIds,
  start: TurnStart,
  end: TurnEnd,
): Promise<TurnOutcome | { stale: StoredDraft } | undefined> {
  const written = await inTransaction(orm, async (tx) => {
    const now = await readDraft(tx, requestId);
    if (!sameDraft(now, start.draft)) return { stale: now };
    const staged = await stageFacts(
      tx,
      requestId,
      end.accepted.map(({ key, value, confidence, confirmed }) => ({ key, value, confidence, confirmed, sourceMessageId: messageId })),
    );
    const drop = now.facts.map(({ key }) => key).filter((key) => !end.valid.includes(key));
    const answer: TurnOutcome = {
      intent: end.intent,
      changes: changesOf(start.catalogue, now, staged, drop),
      agreed: end.intent === 'submit' ? draftHash(now.facts, start.mode) : null,
    };
    const gone = [...drop, ...staged.map(({ key }) => key)];
    const after = [...now.facts.filter(({ key }) => !gone.includes(key)), ...staged];
    const { usage, model, promptVersion } = end.read;
    const outcome: StoredOutcome = {
      answer,
      read: end.read,
      asked: end.asked,
      draftShown: end.showsDraft ? draftHash(after, start.mode) : start.before.draftShown,
      fellBack: end.read.fellBack ?? null,
    };
    const rows = await sql(
      tx,
      `update turn set status = 'done', intent = ?, reply = ?, outcome = ?::jsonb, model = ?, prompt_version = ?, input_tokens = ?, output_tokens = ?, finished_at = now()
       where id = ? and status in ('pending', 'streaming') returning id`,
      [end.intent, end.reply, JSON.stringify(outcome), model, promptVersion, usage.inputTokens, usage.outputTokens, turnId],
    );
    if (rows.length === 0) throw new NotWritten();
    return answer;
  });
  return written || undefined;
}

const sameDraft = (one: StoredDraft, other: StoredDraft): boolean =>
  one.facts.length === other.facts.length && one.facts.every(({ factId }, index) => factId === other.facts[index]!.factId);
