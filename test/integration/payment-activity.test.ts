import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { paymentActivities, type PaymentActivities } from '../../src/activities/payment.ts';
import { openOrm, sql, type Orm } from '../../src/db/orm.ts';
import { forgetMethod, storeMethod } from '../../src/db/queries/payment-method.ts';
import { stripePayments } from '../../src/integrations/stripe/payments.ts';
import { startStripe, type StripeServer } from '../support/stripe.ts';
import { newDatabase } from '../support/suite.ts';

let stripe: StripeServer;
let orm: Orm;
let drop: () => Promise<void>;
let activities: PaymentActivities;
beforeAll(async () => {
  stripe = await startStripe();
  const database = await newDatabase();
  ({ drop } = database);
  orm = await openOrm({ databaseUrl: database.url, poolMax: 5 });
  activities = paymentActivities({ orm, payments: stripePayments({ secretKey: stripe.secretKey, apiUrl: stripe.url }) });
});
afterAll(async () => {
  await stripe.stop();
  await orm.close(true);
  await drop();
});
afterEach(() => {
  expect(stripe.calm()).toBe(0);
  stripe.ledger.check();
});

const rows = <T>(text: string, params: unknown[] = []) => sql<T>(orm.em.fork(), text, params);
const run = <I, O>(activity: (input: I) => Promise<O>, input: I): Promise<O> =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => {}) }).run(activity as never, input as never);
const store = (method: string) => storeMethod(orm.em.fork(), consumerId, method);
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => (error instanceof ApplicationFailure ? { type: error.type, final: error.nonRetryable } : error),
  );

let consumerId: string;
let step: { bookingId: string; attempt: number; amount: number; currency: 'USD'; consumerId: string };
beforeEach(async () => {
  consumerId = randomUUID();
  await rows("insert into user_account (id, issuer, subject) values (?, 'test', ?)", [consumerId, consumerId]);
  step = { bookingId: randomUUID(), attempt: 1, amount: 8_000, currency: 'USD', consumerId };
});

describe('authorisePayment', () => {
  it('without a payment method it is declined, and nobody is asked', async () => {
    const before = stripe.calls.length;
    expect(await run(activities.authorisePayment, step)).toEqual({ is: 'declined', code: 'payment_method_missing', ref: null });
    expect(stripe.calls).toHaveLength(before);
  });

  it('the first time it opens a customer and attaches the method; from then on it does neither', async () => {
    await store('pm_card_visa');
    expect(await run(activities.authorisePayment, step)).toMatchObject({ is: 'authorised' });
    const before = stripe.calls.length;
    expect(await run(activities.authorisePayment, { ...step, bookingId: randomUUID() })).toMatchObject({ is: 'authorised' });
    expect(stripe.calls.slice(before).map((call) => call.step)).not.toContain('attach');
    const [row] = await rows<{ attached: boolean; method_ref: string; customer_ref: string }>(
      'select * from payment_method where user_id = ?',
      [consumerId],
    );
    expect(row).toMatchObject({
      attached: true,
      method_ref: expect.stringMatching(/^pm_(?!card)/),
      customer_ref: expect.stringMatching(/^cus_/),
    });
  });

  it.each(['customer', 'attach', 'create', 'confirm'] as const)(
    'given its worker dies after %s, the next run reserves once',
    async (at) => {
      await store('pm_card_visa');
      stripe.fault(at, { at: 'answering', do: 'drop' }, { at: 'answering', do: 'drop' });
      expect(await failureOf(run(activities.authorisePayment, step))).toEqual({ type: 'payments_away', final: false });
      expect(await run(activities.authorisePayment, step)).toMatchObject({ is: 'authorised' });
      expect(stripe.ledger.of(step.bookingId)).toMatchObject({ authorised: 8_000, authorisations: 1 });
    },
  );

  it('two runs at once for a payer nobody knows yet reserve once, for one customer', async () => {
    await store('pm_card_visa');
    const both = await Promise.allSettled([run(activities.authorisePayment, step), run(activities.authorisePayment, step)]);
    expect(both.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await run(activities.authorisePayment, step)).toMatchObject({ is: 'authorised' });
    expect(stripe.ledger.of(step.bookingId)).toMatchObject({ authorised: 8_000, authorisations: 1 });
  });

  it('another method stored while the answer was lost changes nothing about what was reserved', async () => {
    await store('pm_card_visa');
    stripe.fault('confirm', { at: 'answering', do: 'drop' }, { at: 'answering', do: 'drop' });
    await failureOf(run(activities.authorisePayment, step));
    await store('pm_card_mastercard');
    expect(await run(activities.authorisePayment, step)).toMatchObject({ is: 'authorised' });
    expect(stripe.ledger.of(step.bookingId)).toMatchObject({ authorised: 8_000, authorisations: 1 });
  });

  it('asked an hour ago, it looks before it asks again; asked just now, it does not', async () => {
    await store('pm_card_visa');
    await booking(step.bookingId);
    await rows("insert into payment (id, booking_id, attempt, amount, currency) values (?, ?, 1, 8000, 'USD')", [
      randomUUID(),
      step.bookingId,
    ]);
    const before = stripe.calls.length;
    const first = await run(activities.authorisePayment, step);
    expect(stripe.calls.slice(before).map((call) => call.step)).toEqual(['customer', 'attach', 'create', 'confirm']);
    await rows("update payment set created_at = now() - interval '61 minutes' where booking_id = ?", [step.bookingId]);
    stripe.forgetKeys();
    expect(await run(activities.authorisePayment, step)).toEqual(first);
    expect(stripe.ledger.of(step.bookingId).authorisations).toBe(1);
  });
});

describe('releasePayment', () => {
  const release = (ref: string | null) => run(activities.releasePayment, { ...step, ref });

  it('the outcome unknown: whatever was reserved is given back', async () => {
    await store('pm_card_visa');
    stripe.fault('confirm', { at: 'answering', do: 'drop' }, { at: 'answering', do: 'drop' });
    await failureOf(run(activities.authorisePayment, step));
    await release(null);
    await release(null);
    expect(stripe.ledger.of(step.bookingId)).toMatchObject({ authorised: 8_000, released: 8_000, open: 0 });
  });

  it('a method stored a moment too late reserves nothing behind the release', async () => {
    await release(null);
    await store('pm_card_visa');
    expect(await failureOf(run(activities.authorisePayment, step))).toEqual({ type: 'payment_released', final: true });
    expect(stripe.ledger.of(step.bookingId).authorised).toBe(0);
  });

  it('the method forgotten meanwhile, the reservation is still found', async () => {
    await store('pm_card_visa');
    await run(activities.authorisePayment, step);
    await forgetMethod(orm.em.fork(), consumerId);
    await release(null);
    expect(stripe.ledger.of(step.bookingId)).toMatchObject({ released: 8_000, open: 0 });
  });
});

describe('every activity run twice', () => {
  it('reserves, captures and refunds once', async () => {
    await store('pm_card_visa');
    const twice = async <I, O>(activity: (input: I) => Promise<O>, input: I) => {
      const first = await run(activity, input);
      expect(await run(activity, input)).toEqual(first);
      return first;
    };
    const { ref } = (await twice(activities.authorisePayment, step)) as { ref: string };
    await twice(activities.capturePayment, { ...step, ref, amount: 6_000 });
    await twice(activities.refundPayment, { ...step, ref, amount: 500, step: 'a' });
    expect(stripe.ledger.of(step.bookingId)).toEqual({
      authorised: 8_000,
      captured: 6_000,
      released: 2_000,
      refunded: 500,
      open: 0,
      authorisations: 1,
    });
  });
});

describe('failures', () => {
  it('what has lapsed fails for good with payment_lapsed', async () => {
    await store('pm_card_visa');
    const { ref } = (await run(activities.authorisePayment, step)) as { ref: string };
    stripe.lapse(ref);
    expect(await failureOf(run(activities.capturePayment, { ...step, ref }))).toEqual({ type: 'payment_lapsed', final: true });
  });

  it('a server that is busy is asked again when it says', async () => {
    await store('pm_card_visa');
    stripe.fault('create', { at: 'arriving', do: 'busy', retryAfterS: 3 });
    await expect(run(activities.authorisePayment, step)).rejects.toMatchObject({
      type: 'payments_away',
      nonRetryable: false,
      nextRetryDelay: 3_000,
    });
  });

  it('without a provider every step fails for good and says so', async () => {
    const none = paymentActivities({ orm, payments: undefined });
    const expected = { type: 'payments_not_configured', final: true };
    expect(await failureOf(run(none.authorisePayment, step))).toEqual(expected);
    expect(await failureOf(run(none.releasePayment, { ...step, ref: null }))).toEqual(expected);
    expect(await failureOf(run(none.capturePayment, { ...step, ref: 'pi_1' }))).toEqual(expected);
    expect(await failureOf(run(none.refundPayment, { ...step, ref: 'pi_1', step: 'a' }))).toEqual(expected);
  });

  it('an amount that is not in minor units never leaves', async () => {
    await store('pm_card_visa');
    expect(await failureOf(run(activities.authorisePayment, { ...step, amount: 10.5 }))).toEqual({
      type: 'validation_failed',
      final: true,
    });
  });
});

describe('the payment row', () => {
  const change = (text: string) => rows(`update payment set ${text} where booking_id = ?`, [step.bookingId]);

  it('the database itself refuses money that does not add up', async () => {
    await booking(step.bookingId);
    await rows("insert into payment (id, booking_id, attempt, amount, currency) values (?, ?, 1, 8000, 'USD')", [
      randomUUID(),
      step.bookingId,
    ]);
    for (const wrong of [
      "status = 'settled'",
      'captured = 8001',
      'captured = 5000, released = 3001',
      'captured = -1',
      "status = 'captured', ref = 'pi_1', captured = 5000, released = 2999",
      "status = 'released', released = 7999",
      'captured = 5000, refunded = 5001',
      "status = 'authorised'",
    ]) {
      await expect(change(wrong)).rejects.toThrow(/check constraint/);
    }
    await change("status = 'captured', ref = 'pi_1', captured = 5000, released = 3000, refunded = 5000");
  });
});

/** A booking with the rows that its foreign keys need. */
async function booking(id: string): Promise<void> {
  const requestId = randomUUID();
  await rows("insert into request (id, consumer_id, status, catalogue_version) values (?, ?, 'booked', 1)", [requestId, consumerId]);
  await rows("insert into provider (id, display_name, zone, lat, lon) values (?, 'P', 'UTC', 0, 0)", [consumerId]);
  await rows(
    `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, during, occupied, zone, price, currency, policy, held_until)
     values (?, ?, ?, ?, ?, 's', '[2027-01-01,2027-01-02)', '[2027-01-01,2027-01-02)', 'UTC', 8000, 'USD', '{}', now())`,
    [id, requestId, randomUUID(), consumerId, consumerId],
  );
}
