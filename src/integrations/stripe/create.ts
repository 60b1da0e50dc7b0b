import { lazy } from '../llm/lazy.ts';
import type { Payments } from '../payments.ts';

export interface StripeConfig {
  secretKey: string;
  /** URL of another server that speaks Stripe's protocol. */
  apiUrl?: string | undefined;
}

/**
 * The configured payment provider, if any. Its package takes a third of a second and 19 MB to load, so it is loaded only when
 * payments are configured.
 */
export function createPayments(config: StripeConfig | undefined): Payments | undefined {
  if (!config) return undefined;
  const provider = lazy(async () => (await import('./payments.ts')).stripePayments(config));
  return {
    customer: async (...input) => (await provider()).customer(...input),
    attach: async (...input) => (await provider()).attach(...input),
    authorise: async (...input) => (await provider()).authorise(...input),
    capture: async (...input) => (await provider()).capture(...input),
    release: async (...input) => (await provider()).release(...input),
    refund: async (...input) => (await provider()).refund(...input),
  };
}
