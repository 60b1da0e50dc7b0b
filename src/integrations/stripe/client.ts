import Stripe from 'stripe';

/** Fixed: answers keep their shape until we move, together with the package whose types describe them. */
const apiVersion = '2026-10-28.endive';
const appInfo = { name: 'proxie' };

export interface StripeOptions {
  secretKey: string;
  /** Another server that speaks Stripe's protocol. */
  apiUrl?: string | undefined;
  /** For one request; a step makes up to five. */
  timeoutMs?: number | undefined;
}

/** Repeating is the workflow's business: here every request is sent once (the package repeats one on a cut connection, with its key). */
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
  /** Stripe had answered this key before: the value is as old as that answer. */
  replayed: boolean;
}

const wasReplayed = (headers: Record<string, unknown> | undefined): boolean => headers?.['idempotent-replayed'] === 'true';

/** How many stored failures of the server one step walks past. */
const generations = 4;

/**
 * Asks under a key. Stripe stores whatever it answered first, a failure of its own too, and repeats it for a day: behind such
 * a failure the next key in line is used. Whoever asks under the same key walks the same line, so all end at the same answer.
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
