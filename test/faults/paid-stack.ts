// A whole Proxie with a payment provider that reports its events, and the ledger of the clients.
import { startStripe, type StripeServer } from '../support/stripe.ts';
import { startStack, type Stack, type StackOptions } from './harness.ts';
import { Ledger } from './journey.ts';

export interface PaidStack {
  stack: Stack;
  stripe: StripeServer;
  ledger: Ledger;
  close(): Promise<void>;
}

export async function startPaidStack({ policy: more = {}, ...options }: StackOptions = {}): Promise<PaidStack> {
  const stripe = await startStripe();
  // Check-in is allowed long before the slot, so that no play has to wait. Reviews are published soon, so that the run of a deal ends.
  const policy = { checkInEarlyMs: 90 * 86_400_000, reviewRemindMs: 1_000, reviewPublishMs: 3_000, ...more };
  const stack = await startStack({ ...options, env: { ...stripe.env, ...options.env }, policy }).catch(async (error) => {
    await stripe.stop();
    throw error;
  });
  stripe.sendWebhooksTo(`${stack.url}/webhooks/stripe`);
  return {
    stack,
    stripe,
    ledger: await Ledger.open(stack),
    async close() {
      await stack.close();
      await stripe.stop();
    },
  };
}
