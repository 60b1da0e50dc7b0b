import Stripe from 'stripe';

/** A fixed version, so that answers keep their shape. Change it together with the package, whose types describe the answers. */
const apiVersion = '2026-10-28.endive';
const appInfo = { name: 'proxie' };

export interface StripeOptions {
  secretKey: string;
  /** URL of another server that speaks Stripe's protocol. */
  apiUrl?: string | undefined;
  /** Limit for one request in milliseconds; a step makes up to five requests. */
  timeoutMs?: number | undefined;
}

/**
 * The workflow repeats failed steps, so this client sends every request once. (The package still repeats a request once on a
 * cut connection, with its key.)
 */
export function stripeClient({ secretKey, apiUrl, timeoutMs = 20_000 }: StripeOptions): Stripe {
  const { protocol, hostname, port } = new URL(apiUrl ?? 'https://api.stripe.com');
  const plain = protocol === 'http:';
  return new Stripe(secretKey, {
    apiVersion,
    appInfo,
    host: hostname,
    port: port || (plain ? 80 : 443),
    protocol: plain ? 'http' : 'https',
    timeout: timeoutMs,
    maxNetworkRetries: 0,
    telemetry: false,
  });
}

export interface Answered<T> {
  value: T;
  /** Stripe returned a stored answer for this key, so the value may be out of date. */
  replayed: boolean;
}

const wasReplayed = (headers: Record<string, unknown> | undefined): boolean => headers?.['idempotent-replayed'] === 'true';

/** The most keys that one step tries when Stripe has stored failures of its own. */
const generations = 4;

/**
 * Sends a request with an idempotency key. Stripe stores its first answer for a day, a failure of its own server too, and
 * repeats it. After such a stored failure the next key of a fixed sequence is used. All callers with the same key follow the
 * same sequence, so all get the same answer.
 */
export async function keyed<T extends object>(
  key: string,
  ask: (options: { idempotencyKey: string }) => Promise<Stripe.Response<T>>,
): Promise<Answered<T>> {
  for (let generation = 1; ; generation += 1) {
    try {
      const value = await ask({ idempotencyKey: generation === 1 ? key : `${key}/${generation}` });
      return { value, replayed: wasReplayed(value.lastResponse?.headers) };
    } catch (error) {
      const stored = error instanceof Stripe.errors.StripeError && (error.statusCode ?? 0) >= 500 && wasReplayed(error.headers);
      if (!stored || generation === generations) throw error;
    }
  }
}
