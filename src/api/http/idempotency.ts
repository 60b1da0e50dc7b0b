import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { DomainError, isErrorCode, type RefusalDetail } from '../../domain/errors.ts';
import { isPassing } from './problem-guide.ts';
import { refusalOf } from './problem.ts';

/** What a route answers. */
export interface Outcome {
  status: number;
  body: unknown;
  headers: Record<string, string>;
}

export interface Claim {
  /** The command id. */
  id: string;
  actorId: string;
  /** Hash of everything that makes the request what it is. */
  fingerprint: string;
  /** After this a retry may go on: the process that held the key has died or given up. */
  lockMs: number;
  keepMs: number;
}

export type Claimed = { is: 'claimed' } | { is: 'done'; outcome: Outcome } | { is: 'in_flight'; retryAfterS: number } | { is: 'reused' };

/** One statement each: claim at the start, finish or release at the end. */
export interface IdempotencyStore {
  claim(claim: Claim): Promise<Claimed>;
  finish(id: string, outcome: Outcome): Promise<void>;
  release(id: string): Promise<void>;
}

/** A key is remembered for a day. Published in the OpenAPI document. */
export const keepKeyMs = 86_400_000;

/**
 * The key of a request: a structured-field string in quotes, or a bare token for clients in Stripe's manner.
 * @throws idempotency_key_missing also for what is not a key
 */
export function idempotencyKeyOf(req: Request): string | undefined {
  const header = req.headers['idempotency-key'];
  if (header === undefined) return undefined;
  const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(String(header))?.[1]?.replaceAll(/\\(["\\])/g, '$1');
  const key = quoted ?? (/^[\x21\x23-\x7e]+$/.test(String(header)) ? String(header) : '');
  if (key.length > 0 && key.length <= 255) return key;
  throw new DomainError('idempotency_key_missing', 'Idempotency-Key must be 1 to 255 visible ASCII characters, in quotes or bare.');
}

const digest = (text: string) => createHash('sha256').update(text).digest('base64url');

/** Hashed with actor and route: nobody can fetch another's answer with their key. */
export const commandIdOf = (actorId: string, routeId: string, key: string): string => digest(`${actorId}|${routeId}|${key}`).slice(0, 22);

/** Same intention, same fingerprint: the order of fields does not matter. */
export const fingerprintOf = (parts: unknown): string => digest(canonical(parts));

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`)
    .join()}}`;
}

/**
 * Does `work` once per claim. Its answer, refusals by the rules included, is stored and given again; what may pass (5xx,
 * 429) is not, and gives the key back at once.
 */
export async function once(
  store: IdempotencyStore,
  claim: Claim,
  work: () => Promise<Outcome>,
  onLost: (error: unknown) => void,
): Promise<Outcome> {
  const claimed = await store.claim(claim);
  if (claimed.is === 'reused') throw new DomainError('idempotency_key_reused');
  if (claimed.is === 'in_flight') throw new DomainError('idempotency_in_flight', undefined, { retryAfterS: claimed.retryAfterS });
  if (claimed.is === 'done') return replayed(claimed.outcome);
  // Losing the answer here loses nothing else: the lock lapses, and the timeline knows the command id.
  const settle = (settling: Promise<void>) => settling.catch(onLost);
  try {
    const outcome = await work();
    await settle(store.finish(claim.id, outcome));
    return outcome;
  } catch (error) {
    const refusal = refusalOf(error);
    const stored = { status: 0, body: { code: refusal.code, message: refusal.message, detail: refusal.detail }, headers: {} };
    await settle(isPassing(refusal.code) ? store.release(claim.id) : store.finish(claim.id, stored));
    throw error;
  }
}

/** A stored refusal is thrown again, so that it carries this request's id and links. Status 0 marks it. */
function replayed({ status, body, headers }: Outcome): Outcome {
  if (status !== 0) return { status, body, headers: { ...headers, 'idempotent-replayed': 'true' } };
  const { code, message, detail } = body as { code: string; message: string; detail: RefusalDetail };
  throw new DomainError(isErrorCode(code) ? code : 'internal', message, detail);
}
