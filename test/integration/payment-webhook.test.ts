import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { book } from '../support/booked.ts';
import { run } from '../support/held.ts';
import { startStripe, type StripeServer } from '../support/stripe.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let stripe: StripeServer;
let suite: Suite;
let url: string;
beforeAll(async () => {
  stripe = await startStripe();
  suite = await startSuite({ worker: false, env: stripe.env });
  url = `${suite.url}/webhooks/stripe`;
});
afterAll(async () => {
  await suite.close();
  await stripe.stop();
});

const captured = (bookingId: string, id = 'evt_1') => ({
  id,
  object: 'event',
  type: 'payment_intent.succeeded',
  data: { object: { id: 'pi_1', object: 'payment_intent', metadata: { booking: bookingId, attempt: '1' } } },
});

describe('a payment event on its way to its booking', () => {
  it('waits in the history of the run that answers for the booking, also while no worker runs', async () => {
    const booking = await book(suite, { held: true });
    const request = await run(suite, booking.requestId);
    expect(await stripe.deliver(url, captured(booking.id))).toBe(200);
    const { events } = await request.fetchHistory();
    const signals = (events ?? []).map((event) => event.workflowExecutionSignaledEventAttributes?.signalName).filter(Boolean);
    expect(signals).toEqual(['paymentEvent']);
    await request.terminate();
  });

  it('is taken and changes nothing when no run waits for it', async () => {
    expect(await stripe.deliver(url, captured(randomUUID()))).toBe(200);
  });

  it('comes again later while the run of an open booking is missing', async () => {
    const booking = await book(suite, { held: true });
    expect(await stripe.deliver(url, captured(booking.id))).toBe(503);
  });
});
