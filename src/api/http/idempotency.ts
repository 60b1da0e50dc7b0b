import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { DomainError, isErrorCode, type RefusalDetail } from '../../domain/errors.ts';
import { isPassing } from './problem-guide.ts';
import { refusalOf } from './problem.ts';

/** The answer of a route. */
export interface Outcome {
  status: number;
  body: unknown;
  headers: Record<string, string>;
}

export interface Claim {
  /** The command id. */
  id: string;
  actorId: string;
  /** Hash of everything that distinguishes this request from others. */
  fingerprint: string;
  /** Milliseconds after which a retry may go on: the process that held the key has died or given up by then. */
  lockMs: number;
  keepMs: number;
}

export type Claimed = { is: 'claimed' } | { is: 'done'; outcome: Outcome } | { is: 'in_flight'; retryAfterS: number } | { is: 'reused' };

/** The store of keys. Each method is one statement at most: claim at the start, answered, refused or release at the end. */
export interface IdempotencyStore {
  claim(claim: Claim): Promise<Claimed>;
  /**
   * Keeps the answer of a command that was carried out, and stores it a moment later. Should the process die before, the repeated command
   * is answered from the timeline.
   */
  answered(claim: Claim, outcome: Outcome): void;
  /** Stores a refusal. It is stored before it is sent, because nothing else knows it. */
  refused(id: string, outcome: Outcome): Promise<void>;
  release(id: string): Promise<void>;
  /** Stores the answers that wait. */
  close(): Promise<void>;
}

/** Milliseconds a key is remembered: one day. The OpenAPI document says so. */
export const keepKeyMs = 86_400_000;

/**
 * The key of a request: a structured-field string in quotes, or a bare token as clients of Stripe's API send it.
 * @returns undefined without the header
 * @throws idempotency_key_missing also for a malformed key
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

/** The command id. The hash contains actor and route, so nobody can get the answer of another user by sending their key. */
export const commandIdOf = (actorId: string, routeId: string, key: string): string => digest(`${actorId}|${routeId}|${key}`).slice(0, 22);

/** A hash of the request. The order of fields does not change it. */
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
 * Does `work` once per claimed key. Its answer, refusals by the rules included, is stored and given again. A temporary failure
 * (5xx, 429) is not stored and frees the key at once.
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
  // When the refusal cannot be stored, nothing else is lost: the lock lapses, and the timeline knows the command id.
  const settle = (settling: Promise<void>) => settling.catch(onLost);
  try {
    const outcome = await work();
    store.answered(claim, outcome);
    return outcome;
  } catch (error) {
    const refusal = refusalOf(error);
    const stored = { status: 0, body: { code: refusal.code, message: refusal.message, detail: refusal.detail }, headers: {} };
    await settle(isPassing(refusal.code) ? store.release(claim.id) : store.refused(claim.id, stored));
    throw error;
  }
}

/** Throws a stored refusal again, so that it gets the id and links of this request. Status 0 marks stored refusals. */
function replayed({ status, body, headers }: Outcome): Outcome {
  if (status !== 0) return { status, body, headers: { ...headers, 'idempotent-replayed': 'true' } };
  const { code, message, detail } = body as { code: string; message: string; detail: RefusalDetail };
  throw new DomainError(isErrorCode(code) ? code : 'internal', message, detail);
}
