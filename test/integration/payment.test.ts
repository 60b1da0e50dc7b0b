import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { money, type Currency } from '../../src/domain/money.ts';
import { PaymentError, type Claim, type Payer, type Payments } from '../../src/integrations/payments.ts';
import { stripePayments } from '../../src/integrations/stripe/payments.ts';
import { startStripe, type Step, type StripeServer } from '../support/stripe.ts';

let stripe: StripeServer;
let payments: Payments;
let payer: Payer;
beforeAll(async () => {
  stripe = await startStripe();
  payments = stripePayments({ secretKey: stripe.secretKey, apiUrl: stripe.url, timeoutMs: 20_000 });
  const customer = await payments.customer({ userId: randomUUID() });
  payer = { customer, method: await attached(customer, 'pm_card_visa') };
});
afterAll(() => stripe.stop());
// After every test: no money was lost, and every planned fault has happened.
afterEach(() => {
  stripe.settings.bank = () => undefined;
  expect(stripe.calm()).toBe(0);
  stripe.ledger.check();
});

async function attached(customer: string, method: string): Promise<string> {
  const answer = await payments.attach({ customer, method });
  if (answer.is !== 'attached') throw new Error(answer.code);
  return answer.method;
}

let claim: Claim;
const release = () => ({ key: `booking/${claim.bookingId}/release/1`, claim, customer: payer.customer });
const totals = () => stripe.ledger.of(claim.bookingId);
const authorise = (more: Partial<Claim & { payer: Payer; lookFirst: boolean }> = {}) =>
  payments.authorise({ ...claim, payer, lookFirst: false, ...more });
async function authorised(): Promise<string> {
  const answer = await authorise();
  if (answer.is !== 'authorised') throw new Error(answer.code);
  return answer.ref;
}
const capture = (ref: string, amount = claim.amount.amount) =>
  payments.capture({ key: `booking/${claim.bookingId}/capture/1`, ref, amount: money(amount, claim.amount.currency) });
const refund = (ref: string, amount: number, step = '1') =>
  payments.refund({
    key: `booking/${claim.bookingId}/refund/${step}`,
    bookingId: claim.bookingId,
    ref,
    amount: money(amount, claim.amount.currency),
  });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof PaymentError ? error.code : error),
  );
/** Retries as Temporal does, while the payment provider is only unavailable. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PaymentError && error.code === 'payments_away') || attempt === 10) throw error;
    }
  }
}

beforeEach(() => {
  const bookingId = randomUUID();
  claim = { key: `booking/${bookingId}/authorise/1`, bookingId, attempt: 1, amount: money(12_000, 'USD') };
});

describe('authorising', () => {
  it('reserves the amount and says until when', async () => {
    const answer = await authorise();
    expect(answer).toEqual({ is: 'authorised', ref: expect.stringMatching(/^pi_/), lapsesAt: expect.any(String) });
    const lasts = Date.parse((answer as { lapsesAt: string }).lapsesAt) - Date.now();
    expect(lasts).toBeGreaterThan(6.9 * 86_400_000);
    expect(totals()).toMatchObject({ authorised: 12_000, captured: 0, released: 0, open: 12_000, authorisations: 1 });
  });

  it('given nobody says how long it lasts, seven days are assumed', async () => {
    stripe.settings.captureWindowS = null;
    const before = Math.floor(Date.now() / 1_000) * 1_000;
    const answer = await authorise();
    const after = Date.now();
    stripe.settings.captureWindowS = 7 * 86_400;
    const lapsesAt = Date.parse((answer as { lapsesAt: string }).lapsesAt);
    expect(lapsesAt).toBeGreaterThanOrEqual(before + 7 * 86_400_000);
    expect(lapsesAt).toBeLessThanOrEqual(after + 7 * 86_400_000);
  });

  it('asked twice, and twice at once, it reserves once', async () => {
    const first = await authorise();
    expect(await authorise()).toEqual(first);
    const [a, b] = await Promise.all([retried(() => authorise()), retried(() => authorise())]);
    expect([a, b]).toEqual([first, first]);
    expect(totals()).toMatchObject({ authorised: 12_000, authorisations: 1 });
  });

  it.each([
    ['pm_card_chargeCustomerFail', null, 'card_declined'],
    ['pm_card_authenticationRequired', null, 'authentication_required'],
    ['pm_card_visa', { code: 'card_declined', decline_code: 'insufficient_funds' }, 'insufficient_funds'],
    ['pm_card_visa', { code: 'expired_card' }, 'expired_card'],
    ['pm_card_visa', { code: 'card_declined', decline_code: 'stolen_card' }, 'card_declined'],
  ])('%s, and the bank says %j: declined with %s, and asked again the same', async (method, refused, code) => {
    const card = await attached(payer.customer, method);
    stripe.settings.bank = () => refused ?? undefined;
    const declined = { is: 'declined', code, ref: expect.stringMatching(/^pi_/) };
    expect(await authorise({ payer: { ...payer, method: card } })).toEqual(declined);
    stripe.settings.bank = () => undefined;
    expect(await authorise({ payer: { ...payer, method: card } })).toEqual(declined);
    expect(totals().authorised).toBe(0);
  });

  it('a declined authorisation is closed: no late request with another method opens it', async () => {
    stripe.settings.bank = () => ({ code: 'expired_card' });
    const { ref } = await authorise();
    stripe.settings.bank = () => undefined;
    stripe.forgetKeys();
    expect(stripe.intents().find(({ id }) => id === ref)).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
    expect(await authorise({ lookFirst: true })).toEqual({ is: 'declined', code: 'card_declined', ref });
    expect(totals().authorised).toBe(0);
  });

  it.each([
    ['pm_card_chargeDeclined', 'card_declined'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card'],
    ['pm_nobody_knows', 'payment_method_unusable'],
  ])('%s cannot even be attached: declined with %s', async (method, code) => {
    expect(await payments.attach({ customer: payer.customer, method })).toEqual({ is: 'declined', code, ref: null });
  });

  it('a method that was removed at the provider is declined', async () => {
    const gone = { payer: { ...payer, method: 'pm_removed' } };
    expect(await authorise(gone)).toMatchObject({ is: 'declined', code: 'payment_method_unusable' });
    expect(await authorise(gone)).toMatchObject({ is: 'declined', code: 'payment_method_unusable' });
  });

  it("somebody else's method is declined", async () => {
    const customer = await payments.customer({ userId: randomUUID() });
    expect(await payments.attach({ customer, method: payer.method })).toEqual({
      is: 'declined',
      code: 'payment_method_unusable',
      ref: null,
    });
  });

  it.each([
    ['USD', 12_345, 5_000, 45],
    ['EUR', 999, 999, 999],
    ['JPY', 7_000, 6_999, 1],
  ] as const)('in %s the minor units stay exact through capture and refund', async (currency: Currency, amount, taken, back) => {
    claim = { ...claim, amount: money(amount, currency) };
    const ref = await authorised();
    await capture(ref, taken);
    await refund(ref, back);
    expect(totals()).toEqual({ authorised: amount, captured: taken, released: amount - taken, refunded: back, open: 0, authorisations: 1 });
    expect(stripe.ledger.entries.filter((entry) => entry.ref === ref).map((entry) => entry.currency)).toContain(currency.toLowerCase());
  });
});

describe('an answer that never came', () => {
  /** Two faults in a row, because the package itself retries after one. */
  const lost = (step: Step, at: 'executing' | 'answering') => stripe.fault(step, { at, do: 'drop' }, { at, do: 'drop' });

  it.each(['create', 'confirm'] as const)('cut before %s: asked again, it reserves once', async (step) => {
    stripe.fault(step, { at: 'arriving', do: 'drop' }, { at: 'arriving', do: 'drop' });
    expect(await codeOf(authorise())).toBe('payments_away');
    expect(await authorise()).toMatchObject({ is: 'authorised' });
    expect(totals().authorisations).toBe(1);
  });

  it.each(['create', 'confirm'] as const)('cut after %s has happened: asked again, it reserves once', async (step) => {
    lost(step, 'answering');
    expect(await codeOf(authorise())).toBe('payments_away');
    expect(await authorise()).toMatchObject({ is: 'authorised' });
    expect(totals().authorisations).toBe(1);
  });

  it.each(['create', 'confirm', 'capture', 'cancel'] as const)(
    'the server fails in %s, before or after it: it happens once',
    async (step) => {
      stripe.fault(step, { at: 'answering', do: 'fail' });
      stripe.fault(step, { at: 'executing', do: 'fail' });
      const ref = await retried(async () => authorised());
      if (step === 'cancel') await retried(() => payments.release({ ...release(), ref }));
      else await retried(() => capture(ref));
      expect(totals()).toMatchObject({
        authorised: 12_000,
        authorisations: 1,
        open: 0,
        [step === 'cancel' ? 'released' : 'captured']: 12_000,
      });
    },
  );

  it('a declined answer is lost: the next run is told the same', async () => {
    stripe.settings.bank = () => ({ code: 'card_declined', decline_code: 'insufficient_funds' });
    lost('confirm', 'answering');
    expect(await codeOf(authorise())).toBe('payments_away');
    stripe.settings.bank = () => undefined;
    expect(await authorise()).toMatchObject({ is: 'declined', code: 'insufficient_funds' });
    expect(totals().authorised).toBe(0);
  });

  it('cut after the capture: captured again, it is taken once', async () => {
    const ref = await authorised();
    lost('capture', 'answering');
    expect(await codeOf(capture(ref, 9_000))).toBe('payments_away');
    await capture(ref, 9_000);
    expect(totals()).toMatchObject({ captured: 9_000, released: 3_000, open: 0 });
  });

  it.each([
    ['cut', ['drop', 'drop']],
    ['failed', ['fail']],
  ] as const)('a refund whose answer was %s is given once', async (_how, faults) => {
    const ref = await authorised();
    await capture(ref);
    stripe.fault('refund', ...faults.map((what) => ({ at: 'answering' as const, do: what })));
    await retried(() => refund(ref, 1_000));
    await refund(ref, 1_000);
    expect(totals().refunded).toBe(1_000);
  });
});

describe('a day later, when the keys are forgotten', () => {
  it('who asks again finds what was reserved', async () => {
    const first = await authorise();
    stripe.forgetKeys();
    expect(await authorise({ lookFirst: true })).toEqual(first);
    expect(totals().authorisations).toBe(1);
  });

  it('who asks again for what was only begun goes on with it', async () => {
    stripe.fault('confirm', { at: 'arriving', do: 'drop' }, { at: 'arriving', do: 'drop' });
    expect(await codeOf(authorise())).toBe('payments_away');
    const begun = stripe.intents().find(({ metadata }) => metadata.key === claim.key)!;
    stripe.forgetKeys();
    expect(await authorise({ lookFirst: true })).toMatchObject({ is: 'authorised', ref: begun.id });
  });

  it('captured, released and refunded again, nothing happens twice', async () => {
    const ref = await authorised();
    await capture(ref, 10_000);
    stripe.forgetKeys();
    await capture(ref, 10_000);
    await refund(ref, 400, 'a');
    stripe.forgetKeys();
    await refund(ref, 400, 'a');
    await refund(ref, 400, 'b');
    expect(totals()).toMatchObject({ captured: 10_000, released: 2_000, refunded: 800 });
  });

  it('an authorisation nobody remembers is found and released', async () => {
    await authorise();
    stripe.forgetKeys();
    await payments.release({ ...release(), ref: null });
    stripe.forgetKeys();
    await payments.release({ ...release(), ref: null });
    expect(totals()).toMatchObject({ authorised: 12_000, released: 12_000, open: 0 });
  });
});

describe('releasing', () => {
  it('what is known is released once, however often it is asked', async () => {
    const ref = await authorised();
    await payments.release({ ...release(), ref });
    await payments.release({ ...release(), ref });
    stripe.forgetKeys();
    await payments.release({ ...release(), ref });
    expect(totals()).toMatchObject({ released: 12_000, open: 0 });
  });

  it('what may or may not have been reserved is released', async () => {
    await authorise();
    await payments.release({ ...release(), ref: null });
    expect(totals()).toMatchObject({ authorised: 12_000, released: 12_000, open: 0 });
  });

  it('what was never asked for can no longer be reserved', async () => {
    await payments.release({ ...release(), ref: null });
    expect(await codeOf(authorise())).toBe('payment_released');
    expect(await codeOf(authorise({ lookFirst: true }))).toBe('payment_released');
    expect(totals().authorised).toBe(0);
  });

  it('another attempt of the same booking stays as it is', async () => {
    const second: Claim = { ...claim, key: `booking/${claim.bookingId}/authorise/2`, attempt: 2 };
    await authorise();
    await payments.authorise({ ...second, payer, lookFirst: false });
    await payments.release({ ...release(), ref: null });
    expect(totals()).toMatchObject({ authorised: 24_000, released: 12_000, open: 12_000 });
  });

  it.each(['arriving', 'executing'] as const)(
    'a run thought dead confirms after the release (%s): refused, nothing is reserved',
    async (at) => {
      const late = stripe.hold('confirm', at);
      const zombie = codeOf(authorise());
      await late.reached;
      await payments.release({ ...release(), ref: null });
      late.letGo();
      expect(await zombie).toBe('payment_released');
      expect(totals()).toMatchObject({ authorised: 0, open: 0 });
    },
  );

  it('a run thought dead has confirmed and not heard of it: its reservation is released', async () => {
    const late = stripe.hold('confirm', 'answering');
    const zombie = codeOf(authorise());
    await late.reached;
    await payments.release({ ...release(), ref: null });
    late.letGo();
    await zombie;
    expect(totals()).toMatchObject({ authorised: 12_000, released: 12_000, open: 0 });
    // A later question does not get the old answer.
    expect(await codeOf(authorise())).toBe('payment_released');
  });

  it('a run thought dead has not even begun: it is given what the release has closed', async () => {
    const late = stripe.hold('create', 'arriving');
    const zombie = codeOf(authorise());
    await late.reached;
    await payments.release({ ...release(), ref: null });
    late.letGo();
    expect(await zombie).toBe('payment_released');
    expect(totals().authorised).toBe(0);
  });

  it('what has lapsed by itself is released already', async () => {
    const ref = await authorised();
    stripe.lapse(ref);
    await payments.release({ ...release(), ref });
    expect(totals()).toMatchObject({ released: 12_000, open: 0 });
  });

  it('what was captured is not released in silence', async () => {
    const ref = await authorised();
    await capture(ref);
    expect(await codeOf(payments.release({ ...release(), ref }))).toBe('payment_captured');
    expect(await codeOf(payments.release({ ...release(), ref: null }))).toBe('payment_captured');
    expect(totals()).toMatchObject({ captured: 12_000, released: 0 });
  });
});

describe('what cannot be', () => {
  it('capturing what has lapsed fails for good, and says so', async () => {
    const ref = await authorised();
    stripe.lapse(ref);
    expect(await codeOf(capture(ref))).toBe('payment_lapsed');
  });

  it('capturing what was released fails for good', async () => {
    const ref = await authorised();
    await payments.release({ ...release(), ref });
    expect(await codeOf(capture(ref))).toBe('payment_released');
  });

  it('capturing again with another amount fails for good', async () => {
    const ref = await authorised();
    await capture(ref, 5_000);
    stripe.forgetKeys();
    expect(await codeOf(capture(ref, 6_000))).toBe('payment_captured');
    expect(totals().captured).toBe(5_000);
  });

  it('capturing more than was reserved is refused', async () => {
    const ref = await authorised();
    expect(await codeOf(capture(ref, 12_001))).toBe('payment_refused');
    expect(totals()).toMatchObject({ captured: 0, open: 12_000 });
  });

  it('refunds never exceed what was captured', async () => {
    const ref = await authorised();
    await capture(ref, 5_000);
    await refund(ref, 3_000, 'a');
    expect(await codeOf(refund(ref, 2_001, 'b'))).toBe('payment_overrefunded');
    await refund(ref, 2_000, 'c');
    expect(await codeOf(refund(ref, 1, 'd'))).toBe('payment_overrefunded');
    expect(totals().refunded).toBe(5_000);
  });

  it('an amount below what the network takes is refused for good', async () => {
    claim = { ...claim, amount: money(49, 'EUR') };
    expect(await codeOf(authorise())).toBe('payment_refused');
  });

  it.each([
    ['too many requests', { at: 'arriving', do: 'busy', retryAfterS: 7 }, 7_000],
    ['a thing in use', { at: 'arriving', do: 'busy', code: 'lock_timeout' }, undefined],
    ['a key in use', { at: 'arriving', do: 'busy', status: 409, code: 'idempotency_key_in_use' }, undefined],
  ] as const)('%s passes, and is waited for as long as asked', async (_what, fault, retryAfterMs) => {
    stripe.fault('confirm', fault);
    await expect(authorise()).rejects.toMatchObject({ code: 'payments_away', retryAfterMs });
    expect(await authorise()).toMatchObject({ is: 'authorised' });
  });

  it('a server that does not answer is given up in time', async () => {
    const impatient = stripePayments({ secretKey: stripe.secretKey, apiUrl: stripe.url, timeoutMs: 200 });
    const late = stripe.hold('create', 'executing');
    expect(await codeOf(impatient.authorise({ ...claim, payer, lookFirst: false }))).toBe('payments_away');
    late.letGo();
  });

  it('a wrong key is a matter of the configuration, and no message shows it', async () => {
    const wrong = stripePayments({ secretKey: 'sk_test_canary', apiUrl: stripe.url });
    await expect(wrong.authorise({ ...claim, payer, lookFirst: false })).rejects.toMatchObject({
      code: 'payments_not_configured',
      message: expect.not.stringContaining('canary'),
    });
  });

  it('once cancelled, no further request leaves', async () => {
    const controller = new AbortController();
    const late = stripe.hold('create', 'answering');
    const work = payments.authorise({ ...claim, payer, lookFirst: false }, controller.signal);
    await late.reached;
    controller.abort(new Error('enough'));
    late.letGo();
    await expect(work).rejects.toThrow('enough');
    expect(totals().authorised).toBe(0);
  });
});

it('the usual way takes two requests to reserve and one to capture', async () => {
  const before = stripe.calls.length;
  const ref = await authorised();
  await capture(ref);
  expect(stripe.calls.slice(before).map(({ step, key }) => `${step} ${key?.replace(claim.bookingId, '…')}`)).toEqual([
    'create booking/…/authorise/1/create',
    'confirm booking/…/authorise/1/confirm',
    'capture booking/…/capture/1',
  ]);
});

it('negative control: the ledger names money that is missing', async () => {
  const ref = await authorised();
  const own = await startStripe();
  own.ledger.write({ kind: 'captured', ref, booking: 'b', attempt: '1', amount: 5, currency: 'usd' });
  expect(() => own.ledger.check()).toThrow('does not balance');
  await own.stop();
});
