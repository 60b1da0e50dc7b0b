import { createHmac, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, exportSPKI, SignJWT } from 'jose';
import { hasDuplicateKeys } from '../../src/api/http/token-shape.ts';
import { asSide, type ApiActor } from '../../src/api/http/auth.ts';
import { probe } from './probe.ts';
import { audience, issuer, memoryUsers, startApi, startIssuer, type Harness, type Issuer } from './support.ts';

let keys: Issuer;
let api: Harness;
const path = '/api/v1/things/3f2a8c1e-5b7d-4e9f-8a6b-1c2d3e4f5a6b';
const b64 = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

beforeAll(async () => {
  keys = await startIssuer();
  api = await startApi(keys.url, {
    features: [probe().feature],
    users: memoryUsers({ bad: { status: 'suspended' }, both: { roles: ['consumer', 'provider'] }, boss: { roles: ['admin'] } }),
  });
});
afterAll(async () => {
  await api.stop();
  await keys.close();
});

/** Everything a client can see of a refusal, without the ids that differ by design. */
const visible = ({ status, json: { requestId: _id, ...body } }: Awaited<ReturnType<Harness['send']>>) => ({ status, body });

describe('access tokens', () => {
  it('given a valid token, the caller is let in and named by our own id', async () => {
    expect((await api.send(path, { token: await keys.token() })).status).toBe(200);
    expect((await api.send(path, { token: await keys.token({}, { typ: 'application/at+jwt' }) })).status).toBe(200);
  });

  it('given no token, the answer is 401 with a challenge', async () => {
    const answer = await api.send(path);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="proxie"');
    expect(answer.headers['content-type']).toMatch('application/problem+json');
    expect(answer.json).toMatchObject({ code: 'unauthenticated', status: 401, type: 'http://proxie.test/problems/unauthenticated' });
  });

  const claims = async () => {
    const now = Math.floor(Date.now() / 1000);
    return { iss: issuer, aud: audience, sub: 'anna', jti: crypto.randomUUID(), client_id: 'web', iat: now, exp: now + 300 };
  };

  const forged: Record<string, () => Promise<string>> = {
    'fault 43: alg none': async () => `${b64({ alg: 'none', typ: 'at+jwt' })}.${b64(await claims())}.`,
    'fault 43: alg None with a signature': async () => `${b64({ alg: 'None', typ: 'at+jwt' })}.${b64(await claims())}.AAAA`,
    'fault 43: HS256 with the public key': async () => {
      const input = `${b64({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' })}.${b64(await claims())}`;
      return `${input}.${createHmac('sha256', await exportSPKI(keys.pairs.get('k1')!.publicKey))
        .update(input)
        .digest('base64url')}`;
    },
    'fault 43: an empty signature': async () => `${(await keys.token()).split('.').slice(0, 2).join('.')}.`,
    'fault 43: crit': () => keys.token({}, { crit: ['b64'], b64: true }),
    'fault 43: zip': () => keys.token({}, { zip: 'DEF' } as never),
    'fault 43: a nested JWT': () => keys.token({}, { cty: 'JWT' }),
    'fault 43: a changed payload': async () => {
      const [header, , signature] = (await keys.token()).split('.');
      return `${header}.${b64({ ...(await claims()), roles: ['admin'] })}.${signature}`;
    },
    'fault 43: four parts': async () => `${await keys.token()}.AAAA`,
    'fault 43: not a token': async () => 'a.b.c',
    'fault 43: 10 kB': async () => 'a'.repeat(10_000),
    'fault 44: kid is a path': () => keys.token({}, { kid: '../../etc/passwd' }),
    'fault 44: kid is SQL': () => keys.token({}, { kid: "' or 1=1 --" }),
    'fault 44: jku': () => keys.token({}, { jku: 'http://127.0.0.1:1/keys' }),
    'fault 44: x5u': () => keys.token({}, { x5u: 'http://127.0.0.1:1/keys' }),
    'fault 44: jwk signed with its own key': async () => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return new SignJWT(await claims())
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', jwk: await exportJWK(publicKey) })
        .sign(privateKey);
    },
    'fault 45: another audience': () => keys.token({ aud: 'other' }),
    'fault 45: another issuer': () => keys.token({ iss: 'https://evil.test' }),
    'fault 45: an id token': () => keys.token({}, { typ: 'JWT' }),
    'fault 45: no typ': () => keys.token({}, { typ: undefined as never }),
    'fault 45: expired beyond the tolerance': () => keys.token({ exp: Math.floor(Date.now() / 1000) - 61 }),
    'fault 45: nbf in the future': () => keys.token({ nbf: Math.floor(Date.now() / 1000) + 120 }),
    'fault 45: iat in the future': () => keys.token({ iat: Math.floor(Date.now() / 1000) + 120 }),
    'fault 45: no sub': () => keys.token({ sub: undefined }),
    'fault 45: no jti': () => keys.token({ jti: undefined }),
    'fault 45: no iat': () => keys.token({ iat: undefined }),
    'fault 45: no exp': () => keys.token({ exp: undefined }),
    'fault 45: no client_id': () => keys.token({ client_id: undefined }),
    'fault 52: NUL in sub': () => keys.token({ sub: 'an\u0000na' }),
    'our guest type, signed by the issuer': () => keys.token({ iss: 'proxie-guest' }, { typ: 'guest+jwt' }),
  };

  it.each(Object.entries(forged))('%s is answered like every other bad token', async (_name, make) => {
    const before = keys.state.requests;
    const answer = await api.send(path, { token: await make() });
    expect(visible(answer)).toEqual(visible(await api.send(path, { token: 'x' })));
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="proxie", error="invalid_token"');
    expect(keys.state.requests - before).toBeLessThanOrEqual(1);
  });

  it('fault 43: duplicate claims are refused, however they are spelled', () => {
    expect(hasDuplicateKeys('{"sub":"a","sub":"b"}')).toBe(true);
    expect(hasDuplicateKeys('{"sub":"a","\\u0073ub":"b"}')).toBe(true);
    expect(hasDuplicateKeys('{"a":{"x":1},"b":{"x":2},"c":["a","a"],"d":"a\\":"}')).toBe(false);
  });

  it('given the token in the query, it is not looked at', async () => {
    expect((await api.send(`${path}?access_token=${await keys.token()}`)).status).toBe(401);
  });

  it('given a clock 50 s behind, a token that has just expired is accepted', async () => {
    expect((await api.send(path, { token: await keys.token({ exp: Math.floor(Date.now() / 1000) - 50 }) })).status).toBe(200);
  });
});

describe('who may call', () => {
  it('given a role the route does not know, the answer is 403 forbidden_role', async () => {
    const answer = await api.send(path, { token: await keys.token({ sub: 'boss', roles: undefined }) });
    expect(visible(answer)).toMatchObject({ status: 403, body: { code: 'forbidden_role' } });
  });
  it('given roles in the claims, they win over the database; without, the database decides', async () => {
    expect((await api.send(path, { token: await keys.token({ sub: 'boss', roles: ['provider'] }) })).json.text).toBe('provider');
    expect((await api.send(path, { token: await keys.token({ sub: 'both', roles: undefined }) })).json.text).toBe('consumer');
  });
  it('given claims that grant system or guest, they grant nothing', async () => {
    expect((await api.send(path, { token: await keys.token({ sub: 'boss', roles: ['system', 'guest'] }) })).status).toBe(403);
  });
  it('given a suspended account, the answer is 403 suspended', async () => {
    expect((await api.send(path, { token: await keys.token({ sub: 'bad' }) })).json.code).toBe('suspended');
  });
});

describe('somebody who is a consumer here and a provider there', () => {
  const both: ApiActor = { id: 'me', role: 'consumer', roles: ['consumer', 'provider'] };
  it('acts on the side they are on, if they have its role', () => {
    expect(asSide(both, { consumerId: 'you', providerId: 'me' }).role).toBe('provider');
    expect(asSide({ ...both, role: 'provider' }, { consumerId: 'me', providerId: 'you' }).role).toBe('consumer');
    expect(asSide(both, { consumerId: 'me', providerId: 'you' }).role).toBe('consumer');
    expect(() => asSide({ ...both, roles: ['consumer'] }, { consumerId: 'you', providerId: 'me' })).toThrow(
      expect.objectContaining({ code: 'forbidden_role' }),
    );
  });
});

describe('guest sessions', () => {
  it('given a guest, no route is open that does not name guests', async () => {
    const opened = await api.send('/api/v1/auth/guest', { method: 'POST' });
    expect(opened.status).toBe(201);
    expect(opened.headers['cache-control']).toBe('no-store');
    expect((await api.send(path, { token: opened.json.accessToken })).json.code).toBe('forbidden_role');
  });
  it('given no guest secret, there are no guests', async () => {
    const without = await startApi(keys.url, { guestSecret: null });
    expect((await without.send('/api/v1/auth/guest', { method: 'POST' })).status).toBe(404);
    await without.stop();
  });
});

describe('fault 41: the key server', () => {
  it('given a rotated key, one fetch finds it; given unknown kids, there is no stampede', async () => {
    const own = await startIssuer();
    const fresh = await startApi(own.url, { features: [probe().feature] });
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await fresh.send(path, { token: await own.token() })).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(own.state.requests).toBe(1);
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => fresh.send(path, { token: await own.token({}, { kid: `unknown-${i}` }) })),
    );
    expect(own.state.requests).toBe(1);
    await fresh.stop();
    await own.close();
  });

  it.each([
    ['down', { status: 503, body: '' }],
    ['garbage', { status: 200, body: '<html>' }],
    ['10,000 keys', { status: 200, body: JSON.stringify({ keys: Array(10_000).fill({ kty: 'oct' }) }) }],
  ])('given a key server that answers %s, a first token is 503, not 401, and it is asked once', async (_name, answer) => {
    const own = await startIssuer();
    own.state.answer = answer;
    const fresh = await startApi(own.url, { features: [probe().feature] });
    const answers = await Promise.all(Array.from({ length: 5 }, async () => fresh.send(path, { token: await own.token() })));
    for (const { status, headers } of answers) expect([status, headers['retry-after']]).toEqual([503, '5']);
    await fresh.send(path, { token: await own.token() });
    expect(own.state.requests).toBe(1);
    await fresh.stop();
    await own.close();
  });

  it('given keys in the cache, an outage is not noticed', async () => {
    const own = await startIssuer();
    const fresh = await startApi(own.url, { features: [probe().feature] });
    await fresh.send(path, { token: await own.token() });
    own.state.answer = { status: 500, body: '' };
    expect((await fresh.send(path, { token: await own.token() })).status).toBe(200);
    await fresh.stop();
    await own.close();
  });
});
