// A local server that speaks Stripe's protocol: forms in, JSON out, keys, versions, refusals, signed webhooks. It produces the
// faults that a test plans, and keeps a ledger of its own.
import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { StripeRefusal, stripeObjects, type Params, type StripeObjects } from './stripe.objects.ts';

export type Step = keyof StripeObjects['steps'];

/**
 * The state of a request when a fault happens: `arriving`: nothing has happened · `executing`: its key is taken, the step has
 * not been carried out · `answering`: the step was carried out, the caller has no answer.
 */
export type Moment = 'arriving' | 'executing' | 'answering';
export type Fault =
  | { at: Moment; do: 'drop' }
  | { at: Moment; do: 'fail' }
  | { at: Moment; do: 'wait'; until: Promise<unknown>; reached?: () => void }
  | { at: 'arriving'; do: 'busy'; status?: 429 | 409 | 400; code?: string; retryAfterS?: number };

const apiVersion = /^\d{4}-\d{2}-\d{2}(\.\w+)?$/;
/** Method, path, and the known parameters. Like Stripe, the server refuses all others. */
const routes: { step: Step; method: string; path: RegExp; params: string[] }[] = [
  { step: 'customer', method: 'POST', path: /^\/v1\/customers$/, params: ['metadata'] },
  { step: 'attach', method: 'POST', path: /^\/v1\/payment_methods\/(\w+)\/attach$/, params: ['customer'] },
  {
    step: 'create',
    method: 'POST',
    path: /^\/v1\/payment_intents$/,
    params: ['amount', 'currency', 'customer', 'capture_method', 'allowed_payment_method_types', 'metadata', 'expand'],
  },
  { step: 'confirm', method: 'POST', path: /^\/v1\/payment_intents\/(\w+)\/confirm$/, params: ['payment_method', 'off_session', 'expand'] },
  { step: 'capture', method: 'POST', path: /^\/v1\/payment_intents\/(\w+)\/capture$/, params: ['amount_to_capture', 'expand'] },
  { step: 'cancel', method: 'POST', path: /^\/v1\/payment_intents\/(\w+)\/cancel$/, params: ['cancellation_reason', 'expand'] },
  { step: 'refund', method: 'POST', path: /^\/v1\/refunds$/, params: ['payment_intent', 'amount', 'reason', 'metadata'] },
  { step: 'look', method: 'GET', path: /^\/v1\/payment_intents\/(\w+)$/, params: ['expand'] },
  { step: 'list', method: 'GET', path: /^\/v1\/payment_intents$/, params: ['customer', 'limit', 'starting_after'] },
  { step: 'listRefunds', method: 'GET', path: /^\/v1\/refunds$/, params: ['payment_intent', 'limit', 'starting_after'] },
];

/** A planned fault. Without a user it happens to the next request of any payer. */
interface Planned {
  step: Step;
  fault: Fault;
  user?: string | undefined;
}

interface Reply {
  status: number;
  body: object;
}
class Dropped extends Error {}

export type StripeServer = Awaited<ReturnType<typeof startStripe>>;

export async function startStripe({ secretKey = 'sk_test_local', webhookSecret = 'whsec_local_server' } = {}) {
  const keys = new Map<string, { request: string; reply?: Reply }>();
  const faults: Planned[] = [];
  const events: Record<string, any>[] = [];
  const calls: { step: Step; key: string | undefined; replayed: boolean }[] = [];
  const deliveries = new Set<Promise<unknown>>();
  let webhookUrl: string | undefined;
  const objects = stripeObjects((type, object) => {
    const event = {
      id: `evt_${randomBytes(12).toString('hex')}`,
      object: 'event',
      api_version: '2026-10-28.endive',
      created: Math.floor(Date.now() / 1_000),
      data: { object: structuredClone(object) },
      livemode: false,
      type,
    };
    events.push(event);
    if (webhookUrl) track(keepDelivering(webhookUrl, event));
  });
  const track = (work: Promise<unknown>) => void deliveries.add(work.finally(() => deliveries.delete(work)));

  /** Lets the faults happen that are planned for this step and moment, in the order in which they were planned. */
  async function misbehave(step: Step, at: Moment, of: string | undefined): Promise<void> {
    for (;;) {
      const index = faults.findIndex(({ user = of, ...planned }) => planned.step === step && planned.fault.at === at && user === of);
      if (index < 0) return;
      const [{ fault }] = faults.splice(index, 1) as [(typeof faults)[number]];
      if (fault.do === 'drop') throw new Dropped();
      if (fault.do === 'fail') throw new StripeRefusal(500, { type: 'api_error', code: undefined, message: 'as told' });
      if (fault.do === 'busy') {
        const { status = 429, code = 'rate_limit', retryAfterS } = fault;
        throw Object.assign(new StripeRefusal(status, { code }, true), { retryAfterS });
      }
      fault.reached?.();
      await fault.until;
    }
  }

  async function answer(req: IncomingMessage, text: string): Promise<Reply & { replayed?: boolean }> {
    const { authorization, 'stripe-version': version, 'content-type': type } = req.headers;
    if (authorization !== `Bearer ${secretKey}`) throw new StripeRefusal(401, { message: 'Invalid API Key provided' }, true);
    if (!apiVersion.test(String(version))) throw new StripeRefusal(400, { message: 'Invalid Stripe API version' }, true);
    const url = new URL(req.url ?? '/', 'http://stripe.test');
    const route = routes.find(({ method, path }) => method === req.method && path.test(url.pathname));
    if (!route) throw new StripeRefusal(404, { message: `Unrecognized request URL (${req.method}: ${url.pathname})` }, true);
    const { step, path } = route;
    const isPost = req.method === 'POST';
    if (isPost && text && !String(type).startsWith('application/x-www-form-urlencoded')) {
      throw new StripeRefusal(400, { message: 'Send form-encoded parameters.' }, true);
    }
    const params = formOf(isPost ? text : url.search.slice(1));
    const subject = path.exec(url.pathname)?.[1] ?? '';
    const user = objects.payerOf(subject, params);
    await misbehave(step, 'arriving', user);
    const unknown = Object.keys(params).find((name) => !route.params.includes(name));
    if (unknown) throw new StripeRefusal(400, { code: 'parameter_unknown', param: unknown }, true);

    const key = isPost ? (req.headers['idempotency-key'] as string | undefined) : undefined;
    const request = `${url.pathname}?${text}`;
    const before = key ? keys.get(key) : undefined;
    calls.push({ step, key, replayed: Boolean(before?.reply) });
    if (before && before.request !== request)
      throw new StripeRefusal(400, { type: 'idempotency_error', message: 'other parameters' }, true);
    if (before?.reply) {
      await misbehave(step, 'answering', user);
      return { ...before.reply, replayed: true };
    }
    if (before) throw new StripeRefusal(409, { type: 'idempotency_error', code: 'idempotency_key_in_use' }, true);
    const entry: { request: string; reply?: Reply } = { request };
    if (key) keys.set(key, entry);
    try {
      await misbehave(step, 'executing', user);
      const done = objects.steps[step](subject, params);
      entry.reply = { status: 200, body: structuredClone(objects.expanded(done, params.expand ?? [])) };
    } catch (error) {
      if (!(error instanceof StripeRefusal) || error.early) {
        if (key) keys.delete(key);
        throw error;
      }
      entry.reply = { status: error.status, body: { error: structuredClone(error.error) } };
    }
    try {
      await misbehave(step, 'answering', user);
    } catch (error) {
      // Stripe stores its own failure as the answer of the key.
      if (error instanceof StripeRefusal) entry.reply = { status: error.status, body: { error: error.error } };
      else throw error;
    }
    return entry.reply;
  }

  function respond(
    req: IncomingMessage,
    res: ServerResponse,
    { status, body, replayed = false, retryAfterS }: Reply & { replayed?: boolean; retryAfterS?: number },
  ) {
    const key = req.headers['idempotency-key'];
    res.writeHead(status, {
      'content-type': 'application/json',
      'request-id': `req_${randomBytes(7).toString('hex')}`,
      'stripe-version': String(req.headers['stripe-version'] ?? ''),
      ...(key && { 'idempotency-key': key }),
      ...(replayed && { 'idempotent-replayed': 'true' }),
      ...(retryAfterS !== undefined && { 'retry-after': String(retryAfterS) }),
    });
    res.end(JSON.stringify(body));
  }

  const sockets = new Set<Socket>();
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      answer(req, Buffer.concat(parts).toString()).then(
        (reply) => respond(req, res, reply),
        (error: unknown) => {
          if (error instanceof Dropped) return void req.socket.destroy();
          const { status, error: body } = error instanceof StripeRefusal ? error : new StripeRefusal(500, { message: String(error) });
          respond(req, res, { status, body: { error: body }, ...(error as { retryAfterS?: number }) });
        },
      );
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** Signs a payload as Stripe does. Tests make forged deliveries by changing the payload or the secret. */
  const signed = (payload: string, { at = Date.now(), secret = webhookSecret } = {}): string => {
    const t = Math.floor(at / 1_000);
    return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${payload}`).digest('hex')}`;
  };
  /** Sends one event. @returns the HTTP status, 0 when there was no answer */
  const deliver = async (to: string, event: object): Promise<number> => {
    const body = JSON.stringify(event);
    const headers = { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signed(body) };
    return fetch(to, { method: 'POST', headers, body }).then(
      async (response) => (await response.arrayBuffer(), response.status),
      () => 0,
    );
  };
  let stopped = false;
  async function keepDelivering(to: string, event: object): Promise<void> {
    for (let pauseMs = 50; !stopped && (await deliver(to, event)) !== 200; pauseMs = Math.min(pauseMs * 2, 1_000)) await sleep(pauseMs);
  }

  return {
    url,
    /** The environment that makes a process use this server. */
    env: { PAYMENTS: 'stripe', STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret, STRIPE_API_URL: url },
    secretKey,
    ledger: objects.ledger,
    settings: objects.settings,
    intents: objects.intents,
    lapse: objects.lapse,
    /** Every request with a known route and known parameters, in order. */
    calls: calls as readonly (typeof calls)[number][],
    events: events as readonly Record<string, any>[],
    signed,
    deliver,
    /**
     * Plans faults for the next request of this step. Several faults apply to several requests, or to several moments of one
     * request.
     */
    fault: (step: Step, ...planned: Fault[]) => void faults.push(...planned.map((fault) => ({ step, fault }))),
    /** The same for requests about one payer. */
    faultOf: (user: string, step: Step, ...planned: Fault[]) => void faults.push(...planned.map((fault) => ({ step, fault, user }))),
    /** Cancels the planned faults that have not happened. @returns their number */
    calm: (): number => faults.splice(0).length,
    /** Stops the next request of this step at a moment until `letGo` is called. */
    hold(step: Step, at: Moment): { reached: Promise<void>; letGo: () => void } {
      const [reached, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      faults.push({ step, fault: { at, do: 'wait', until: gone.promise, reached: reached.resolve } });
      return { reached: reached.promise, letGo: gone.resolve };
    },
    /** Forgets all keys, as Stripe does after a day. */
    forgetKeys: () => keys.clear(),
    /** From now on every event is sent to this URL until it is accepted; undefined stops the sending. */
    sendWebhooksTo: (to: string | undefined) => void (webhookUrl = to),
    webhooksDone: async () => void (await Promise.all(deliveries)),
    async stop(): Promise<void> {
      stopped = true;
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all(deliveries);
    },
  };
}

/** `a[b]=1&c[0]=2` → { a: { b: '1' }, c: ['2'] } */
function formOf(text: string): Params {
  const params: Params = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const [, head, inner] = /^(\w+)(?:\[(\w+)\])?$/.exec(name) ?? [];
    if (!head) throw new StripeRefusal(400, { code: 'parameter_unknown', param: name }, true);
    if (inner === undefined) params[head] = value;
    else if (/^\d+$/.test(inner)) (params[head] ??= [] as string[]).push(value);
    else (params[head] ??= {})[inner] = value;
  }
  return params;
}
