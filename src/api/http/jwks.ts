import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';

/** The issuer's keys cannot be had right now: 503, not 401. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

export interface JwksOptions {
  url: string;
  log: Logger;
  /** After this the keys are fetched again in the background. */
  refreshAfterMs?: number;
  /** Until this they serve when the issuer is down. */
  maxAgeMs?: number;
  /** Least time between two fetches, successful or not: an unknown kid or an outage causes no stampede. */
  coolDownMs?: number;
  timeoutMs?: number;
}

const maxKeySetBytes = 256 * 1024;
const maxKeys = 100;

/** The issuer's keys, cached. Rotation costs one fetch, an outage costs nothing while the cache lives. */
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
      void remote.reload().catch(() => {}); // logged by the fetch; the cached keys serve on
    }
    return remote(header, token);
  };
}

/** A key set small enough to search for every unknown kid. @throws Error for anything else */
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
  createLocalJWKSet(jwks as never); // throws for malformed members, before they replace good ones
  return { keys: jwks.keys };
}

/** Whether verification failed for want of keys rather than because of the token. */
export const isKeysUnavailable = (error: unknown): boolean => error instanceof KeysUnavailable || error instanceof errors.JWKSTimeout;
