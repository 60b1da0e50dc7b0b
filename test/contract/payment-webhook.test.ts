import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DomainError } from '../../src/domain/errors.ts';
import { stripeNotices } from '../../src/integrations/stripe/notice.ts';
import { startStripe, type StripeServer } from '../support/stripe.ts';
import { startApi, startIssuer, type Harness, type Issuer } from './support.ts';

const secret = 'whsec_of_this_test';
const bookingId = '0190f5fe-7c00-7a00-8000-000000000001';
const event = (changes: object = {}, object: object = {}) => ({
  id: 'evt_1',
  object: 'event',
  type: 'payment_intent.succeeded',
  data: { object: { id: 'pi_1', object: 'payment_intent', metadata: { booking: bookingId, attempt: '2' }, ...object } },
  ...changes,
});

let issuer: Issuer;
let stripe: StripeServer;
let api: Harness;
const told: unknown[][] = [];
let answer: () => Promise<boolean>;
beforeAll(async () => {
  issuer = await startIssuer();
  stripe = await startStripe({ webhookSecret: secret });
  const ports = {
    paymentNotice: stripeNotices(secret),
    commands: {
      send: () => Promise.reject(new Error('no commands')),
      tell: async (stream: string, _signal: unknown, fact: unknown) => (told.push([stream, fact]), answer()),
    },
  };
  api = await startApi(issuer.url, { ports, http: { rateLimitAnonymousPerMinute: 20 } });
});
afterAll(async () => {
  await api.stop();
  await stripe.stop();
  await issuer.close();
});
beforeEach(() => {
  told.length = 0;
  answer = async () => true;
});

const path = '/webhooks/stripe';
const post = (raw: string, signature: string | undefined) =>
  api.send(path, { method: 'POST', raw, headers: signature === undefined ? {} : { 'stripe-signature': signature } });
const deliver = (body: object) => post(JSON.stringify(body), stripe.signed(JSON.stringify(body)));

describe('a signed payment event', () => {
  it.each([
    ['payment_intent.amount_capturable_updated', 'authorised'],
    ['payment_intent.canceled', 'cancelled'],
    ['payment_intent.payment_failed', 'failed'],
    ['payment_intent.succeeded', 'captured'],
  ])('%s reaches its booking as %s', async (type, kind) => {
    expect(await deliver(event({ type }))).toMatchObject({ status: 200, json: { received: true } });
    expect(told).toEqual([[`booking/${bookingId}`, { bookingId, eventId: 'evt_1', kind, attempt: 2, ref: 'pi_1' }]]);
  });

  it.each([['pi_1'], [{ id: 'pi_1', object: 'payment_intent' }]])('a refund is told for its authorisation: %j', async (intent) => {
    await deliver(event({ type: 'charge.refunded' }, { id: 'ch_1', object: 'charge', payment_intent: intent }));
    expect(told).toEqual([[`booking/${bookingId}`, { bookingId, eventId: 'evt_1', kind: 'refunded', attempt: 2, ref: 'pi_1' }]]);
  });

  it('delivered twice, it is told twice under one id: the booking takes it once', async () => {
    await deliver(event());
    await deliver(event());
    expect(told[0]).toEqual(told[1]);
  });

  it('of a booking nobody waits for is taken, and only a code is logged', async () => {
    answer = async () => false;
    expect((await deliver(event())).status).toBe(200);
    expect(api.logged.findLast(({ code }) => code)).toMatchObject({ code: 'payment_event_unheard' });
    expect(JSON.stringify(api.logged)).not.toContain('pi_1');
  });

  it('while Temporal is away it is answered 503, so that it comes again', async () => {
    answer = () => Promise.reject(new DomainError('temporarily_unavailable', undefined, { retryAfterS: 2 }));
    expect(await deliver(event())).toMatchObject({
      status: 503,
      json: { code: 'temporarily_unavailable' },
      headers: { 'retry-after': '2' },
    });
  });

  it.each([
    ['another type', event({ type: 'customer.created' })],
    ['a type of every object', event({ type: 'constructor' })],
    ['no metadata', event({}, { metadata: {} })],
    ['a booking that is no id', event({}, { metadata: { booking: 'x/../y', attempt: '1' } })],
    ['an attempt that is no number', event({}, { metadata: { booking: bookingId, attempt: 'one' } })],
    ['no object', { ...event(), data: {} }],
    ['another account’s intent', event({}, { id: 'ord_1' })],
  ])('about something else (%s) is taken and changes nothing', async (_what, body) => {
    expect((await deliver(body)).status).toBe(200);
    expect(told).toEqual([]);
  });
});

describe('what is not signed by Stripe is refused and changes nothing', () => {
  const body = JSON.stringify(event());
  it.each([
    ['no signature', () => undefined, body],
    ['an empty signature', () => '', body],
    ['another secret', () => stripe.signed(body, { secret: 'whsec_of_somebody' }), body],
    ['another body', () => stripe.signed(JSON.stringify(event({ id: 'evt_2' }))), body],
    ['one byte more', () => stripe.signed(body), `${body} `],
    ['a recording from ten minutes ago', () => stripe.signed(body, { at: Date.now() - 600_000 }), body],
    ['a time without a signature', () => `t=${Math.floor(Date.now() / 1000)}`, body],
    ['no JSON', () => stripe.signed('{"id":'), '{"id":'],
    ['no body', () => stripe.signed(''), ''],
  ])('%s', async (_what, signature, raw) => {
    expect(await post(raw, signature())).toMatchObject({ status: 400, json: { code: 'signature_invalid' } });
    expect(told).toEqual([]);
  });

  it('a body beyond any event is not read', async () => {
    const huge = JSON.stringify(event({ padding: 'x'.repeat(300_000) }));
    expect(await post(huge, stripe.signed(huge))).toMatchObject({ status: 413 });
  });

  it('who keeps failing is slowed down; who can sign is not', async () => {
    const answers = [];
    for (let i = 0; i < 25; i += 1) answers.push((await post(body, 't=1,v1=00')).status);
    expect(answers).toContain(429);
    expect((await deliver(event())).status).toBe(200);
  });
});

it('without a payment provider there is no such address', async () => {
  const bare = await startApi(issuer.url);
  expect((await bare.send(path, { method: 'POST', raw: '{}' })).status).toBe(404);
  await bare.stop();
});

it('the document clients read does not have it', () => {
  expect(api.api.routes.map((route) => route.path)).not.toContain(path);
});
