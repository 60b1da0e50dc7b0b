// A real API on a real socket with a real issuer; only what lies behind the ports is replaced.
import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTHeaderParameters } from 'jose';
import { pino } from 'pino';
import { buildApp, type BuiltApi } from '../../src/api/app.ts';
import type { UserRow } from '../../src/api/http/auth.ts';
import type { ApiConfig, ApiDeps, Feature, Ports } from '../../src/api/http/deps.ts';
import type { Claimed, IdempotencyStore, Outcome } from '../../src/api/http/idempotency.ts';
import { issuerVerifier } from '../../src/api/http/issuer.ts';
import { memoryLimiters } from '../../src/api/http/rate-limit.ts';
import type { Users } from '../../src/api/http/users.ts';
import type { Orm } from '../../src/db/orm.ts';
import { defaultPolicy } from '../../src/domain/policy.ts';

export const audience = 'proxie-test';
export const issuer = 'https://issuer.test';

/** A key server that counts how often it is asked and can be made to fail. */
export async function startIssuer() {
  const pairs = new Map<string, { publicKey: CryptoKey; privateKey: CryptoKey }>();
  const state = { requests: 0, answer: undefined as undefined | { status: number; body: string } };
  const addKey = async (kid: string, alg = 'ES256') => pairs.set(kid, await generateKeyPair(alg, { extractable: true }));
  await addKey('k1');
  const keySet = async () => {
    const keys = [...pairs].map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid, use: 'sig' }));
    return JSON.stringify({ keys: await Promise.all(keys) });
  };
  const server = createServer((_req, res) => {
    state.requests += 1;
    const { status = 200, body } = state.answer ?? {};
    res.writeHead(status, { 'content-type': 'application/json' });
    void (body === undefined ? keySet() : Promise.resolve(body)).then((text) => res.end(text));
  });
  const port = await listen(server);
  return {
    state,
    pairs,
    addKey,
    url: `http://127.0.0.1:${port}/jwks.json`,
    close: () => closeServer(server),
    /** A token as the issuer makes it, with changes. `undefined` removes a claim. */
    async token(claims: Record<string, unknown> = {}, header: Partial<JWTHeaderParameters> & { signWith?: string } = {}): Promise<string> {
      const now = Math.floor(Date.now() / 1000);
      const { signWith = 'k1', ...protectedHeader } = header;
      const all = {
        iss: issuer,
        aud: audience,
        sub: 'anna',
        jti: crypto.randomUUID(),
        client_id: 'web',
        iat: now,
        exp: now + 300,
        roles: ['consumer'],
        ...claims,
      };
      return new SignJWT(JSON.parse(JSON.stringify(all)))
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: signWith, ...protectedHeader })
        .sign(pairs.get(signWith)!.privateKey);
    },
  };
}
export type Issuer = Awaited<ReturnType<typeof startIssuer>>;

export function memoryUsers(known: Record<string, Partial<UserRow>> = {}): Users & { resolved: string[] } {
  const rows = new Map<string, UserRow>();
  const resolved: string[] = [];
  return {
    resolved,
    async resolve({ subject }) {
      resolved.push(subject);
      if (!rows.has(subject)) rows.set(subject, { id: crypto.randomUUID(), roles: ['consumer'], status: 'active', ...known[subject] });
      return rows.get(subject)!;
    },
  };
}

export function memoryKeys(): IdempotencyStore & {
  rows: Map<string, { fingerprint: string; outcome?: Outcome; expiresAt: number; lockedUntil: number }>;
} {
  const rows = new Map<string, { fingerprint: string; outcome?: Outcome; expiresAt: number; lockedUntil: number }>();
  return {
    rows,
    async claim({ id, fingerprint, lockMs, keepMs }): Promise<Claimed> {
      const now = Date.now();
      const row = rows.get(id);
      const free = !row || row.expiresAt <= now || (!row.outcome && row.lockedUntil <= now && row.fingerprint === fingerprint);
      if (free) {
        rows.set(id, { fingerprint, expiresAt: now + keepMs, lockedUntil: now + lockMs });
        return { is: 'claimed' };
      }
      if (row.fingerprint !== fingerprint) return { is: 'reused' };
      return row.outcome ? { is: 'done', outcome: row.outcome } : { is: 'in_flight', retryAfterS: 1 };
    },
    answered({ id }, outcome) {
      // What the database would give back: plain JSON.
      rows.get(id)!.outcome = JSON.parse(JSON.stringify(outcome)) as Outcome;
    },
    async refused(id, outcome) {
      rows.get(id)!.outcome = JSON.parse(JSON.stringify(outcome)) as Outcome;
    },
    async close() {},
    async release(id) {
      rows.get(id)!.lockedUntil = 0;
    },
  };
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: Record<string, any>;
}

export interface Harness extends BuiltApi {
  port: number;
  url: string;
  logged: Record<string, unknown>[];
  keys: ReturnType<typeof memoryKeys>;
  users: ReturnType<typeof memoryUsers>;
  send(
    path: string,
    options?: { method?: string; token?: string; body?: unknown; headers?: Record<string, string>; raw?: string | Buffer },
  ): Promise<Answer>;
  stop(): Promise<void>;
}

export const testConfig = (jwksUrl: string, http: Partial<ApiConfig['http']> = {}): ApiConfig => ({
  database: { url: 'postgres://127.0.0.1:1/none' },
  http: {
    host: '127.0.0.1',
    port: 0,
    publicUrl: 'http://proxie.test',
    trustProxyHops: 0,
    commandDeadlineMs: 1_000,
    rateLimitPerMinute: 100_000,
    ...http,
  },
  auth: { jwksUrl, issuer, audience, guestSecret: 'a secret for guests that is long enough' },
  cursorSecret: 'a secret for cursors that is long enough',
  policy: defaultPolicy,
});

export async function startApi(
  jwksUrl: string,
  {
    features = [],
    ports = {},
    http = {},
    users = memoryUsers(),
    guestSecret,
  }: {
    features?: Feature[];
    ports?: Partial<Ports>;
    http?: Partial<ApiConfig['http']>;
    users?: ReturnType<typeof memoryUsers>;
    guestSecret?: null;
  } = {},
): Promise<Harness> {
  const logged: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'info' },
    new Writable({ write: (chunk, _encoding, done) => (logged.push(JSON.parse(String(chunk)) as Record<string, unknown>), done()) }),
  );
  const config = testConfig(jwksUrl, http);
  if (guestSecret === null) delete config.auth.guestSecret;
  const keys = memoryKeys();
  const deps = { config, log, orm: {} as Orm, temporal: {} } as ApiDeps;
  const built = buildApp(
    deps,
    (guests) => ({
      tokens: issuerVerifier({ config, log }, guests),
      users,
      idempotency: keys,
      commands: {
        send: () => Promise.reject(new Error('no commands in this test')),
        tell: () => Promise.reject(new Error('no facts in this test')),
      },
      feed: {
        after: async () => ({ events: [], position: '0' }),
        audienceOf: async () => [],
        listen: async () => ({ close: async () => {} }),
      },
      limiter: memoryLimiters,
      probes: { database: async () => {}, temporal: async () => {} },
      ...ports,
    }),
    features.length > 0 ? [{ tag: 'test', description: 'Routes of the test', features }] : [],
  );
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, built.app);
  const port = await listen(server);
  return {
    ...built,
    port,
    url: `http://127.0.0.1:${port}`,
    logged,
    keys,
    users,
    send: (path, options = {}) => send(port, path, options),
    async stop() {
      built.drain();
      await built.close();
      await closeServer(server);
    },
  };
}

function send(
  port: number,
  path: string,
  { method = 'GET', token, body, headers = {}, raw }: Parameters<Harness['send']>[1] & object,
): Promise<Answer> {
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const all: Record<string, string> = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(payload !== undefined && { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const req = httpRequest({ host: '127.0.0.1', port, path, method, headers: all, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const json = /json/.test(String(res.headers['content-type'])) && text ? (JSON.parse(text) as Record<string, unknown>) : {};
        resolve({ status: res.statusCode!, headers: res.headers, text, json });
      });
    });
    req.on('error', reject);
    req.end(payload);
  });
}

export function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

export function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
