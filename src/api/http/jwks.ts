import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';

/** The issuer's keys cannot be fetched now: the answer is 503, not 401. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

export interface JwksOptions {
  url: string;
  log: Logger;
  /** Age in milliseconds after which the keys are fetched again in the background. */
  refreshAfterMs?: number;
  /** Age in milliseconds until which the keys are used while the issuer is down. */
  maxAgeMs?: number;
  /** Least milliseconds between two fetches, successful or not: neither an unknown kid nor an outage causes a flood of fetches. */
  coolDownMs?: number;
  timeoutMs?: number;
}

const maxKeySetBytes = 256 * 1024;
const maxKeys = 100;

/** The issuer's keys, cached. A rotation costs one fetch. An outage costs nothing while the cache is valid. */
export function remoteKeys({
  url,
  log,
  refreshAfterMs = 600_000,
  maxAgeMs = 86_400_000,
  coolDownMs = 10_000,
  timeoutMs = 3_000,
}: JwksOptions): JWTVerifyGetKey {
  let fetchedAt = 0;
  let failedAt = -Infinity;

  async function boundedFetch(input: string, init: { signal: AbortSignal }): Promise<Response> {
    if (Date.now() < failedAt + coolDownMs) throw new KeysUnavailable('The last fetch of the keys failed a moment ago.');
    try {
      const response = await fetch(input, { ...init, redirect: 'error' });
      const jwks = await readKeySet(response);
      fetchedAt = Date.now();
      return Response.json(jwks);
    } catch (error) {
      failedAt = Date.now();
      log.error({ err: error }, 'cannot fetch the keys of the token issuer');
      throw new KeysUnavailable('The keys cannot be fetched.', { cause: error });
    }
  }

  const remote = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: maxAgeMs,
    cooldownDuration: coolDownMs,
    timeoutDuration: timeoutMs,
    [customFetch]: boundedFetch as never,
  });

  return async (header, token) => {
    if (fetchedAt > 0 && !remote.reloading && Date.now() > Math.max(fetchedAt + refreshAfterMs, failedAt + coolDownMs)) {
      void remote.reload().catch(() => {}); // the fetch logs the failure; the cached keys stay in use
    }
    return remote(header, token);
  };
}

/** Reads a key set that is small enough to be searched for every unknown kid. @throws Error for any other content */
async function readKeySet(response: Response): Promise<{ keys: unknown[] }> {
  if (response.status !== 200) throw new Error(`The key set answered ${response.status}.`);
  let size = 0;
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxKeySetBytes) throw new Error('The key set is too large.');
    chunks.push(chunk);
  }
  const jwks = JSON.parse(Buffer.concat(chunks).toString()) as { keys?: unknown[] };
  if (!Array.isArray(jwks.keys) || jwks.keys.length > maxKeys) throw new Error('Not a key set, or one with too many keys.');
  createLocalJWKSet(jwks as never); // throws for malformed members, before they replace good keys
  return { keys: jwks.keys };
}

/** Whether verification failed because keys were missing, not because of the token. */
export const isKeysUnavailable = (error: unknown): boolean => error instanceof KeysUnavailable || error instanceof errors.JWKSTimeout;
