// A whole Proxie that takes money from a payment provider which tells it what happens, and the ledger of who uses both.
import { startStripe, type StripeServer } from '../support/stripe.ts';
import { startStack, type Stack } from './harness.ts';
import { Ledger } from './journey.ts';

export interface PaidStack {
  stack: Stack;
  stripe: StripeServer;
  ledger: Ledger;
  close(): Promise<void>;
}

export async function startPaidStack(): Promise<PaidStack> {
  const stripe = await startStripe();
  // A job may begin long ahead of its slot: nobody waits for it.
  const policy = { checkInEarlyMs: 90 * 86_400_000 };
  const stack = await startStack({ env: stripe.env, policy }).catch(async (error) => {
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
