import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { addressKey } from '../../src/api/http/rate-limit.ts';
import { probe } from './probe.ts';
import { startApi, startIssuer, type Harness, type Issuer } from './support.ts';

let keys: Issuer;
const open: Harness[] = [];
const start = async (
  ...[http, ports]: [
    http?: NonNullable<Parameters<typeof startApi>[1]>['http'],
    ports?: NonNullable<Parameters<typeof startApi>[1]>['ports'],
  ]
) => {
  const api = await startApi(keys.url, { features: [probe().feature], http, ports });
  open.push(api);
  return api;
};
beforeAll(async () => {
  keys = await startIssuer();
});
afterAll(async () => {
  for (const api of open) await api.stop();
  await keys.close();
});

describe('rate limits', () => {
  it('announce themselves in draft-10 form and in the older one', async () => {
    const api = await start({ rateLimitPerMinute: 50 });
    const { headers } = await api.send('/api/v1/things', { token: await keys.token() });
    expect(headers).toMatchObject({
      'ratelimit-policy': '"permin";q=50;w=60',
      ratelimit: '"permin";r=49;t=60',
      'x-ratelimit-limit': '50',
      'x-ratelimit-remaining': '49',
    });
  });

  it('fault 60: count a user, not a token, address or spelling', async () => {
    const api = await start({ rateLimitPerMinute: 2 });
    const send = async (headers: Record<string, string>) => api.send('/api/v1/things', { token: await keys.token(), headers });
    await send({ 'x-forwarded-for': '1.1.1.1' });
    await send({ 'x-real-ip': '2.2.2.2', forwarded: 'for=3.3.3.3' });
    const answer = await send({ 'x-forwarded-for': '4.4.4.4' });
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.json).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      code: 'rate_limited',
      'violated-policies': ['permin'],
    });
    expect((await api.send('/api/v1/things', { token: await keys.token({ sub: 'bert' }) })).status).toBe(200);
  });

  it('given an exhausted quota, the user is not even looked up', async () => {
    const api = await start({ rateLimitPerMinute: 1 });
    for (let i = 0; i < 3; i += 1) await api.send('/api/v1/things', { token: await keys.token() });
    expect(api.users.resolved).toHaveLength(1);
  });

  it('fault 60: given bad tokens, the address is counted; X-Forwarded-For counts for trusted hops only', async () => {
    const plain = await start({ rateLimitAnonymousPerMinute: 2 });
    const guess = (api: Harness, from: string) => api.send('/api/v1/things', { token: 'guess', headers: { 'x-forwarded-for': from } });
    const statuses = [];
    for (const from of ['1.1.1.1', '2.2.2.2', '3.3.3.3']) statuses.push((await guess(plain, from)).status);
    expect(statuses).toEqual([401, 401, 429]);
    const behindProxy = await start({ rateLimitAnonymousPerMinute: 1, trustProxyHops: 1 });
    expect((await guess(behindProxy, 'spoofed, 1.1.1.1')).status).toBe(401);
    expect((await guess(behindProxy, 'other, 2.2.2.2')).status).toBe(401);
    expect((await guess(behindProxy, 'third, 1.1.1.1')).status).toBe(429);
  });

  it('given a store that cannot count, requests are served', async () => {
    const api = await start({}, { limiter: () => ({ consume: () => Promise.reject(new Error('redis is gone')) }) });
    expect((await api.send('/api/v1/open')).status).toBe(200);
  });

  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    [undefined, 'unknown'],
  ])('fault 60: the address %s counts as %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

describe('fault 63: CORS', () => {
  it.each(['null', 'https://app.test.evil.com', 'https://evilapp.test', 'http://app.test', 'https://app.test:8443'])(
    'given Origin %s, no browser may read the answer',
    async (origin) => {
      const api = await start({ corsOrigins: ['https://app.test'] });
      const { headers } = await api.send('/api/v1/open', { headers: { origin } });
      expect(headers['access-control-allow-origin']).toBeUndefined();
    },
  );
  it('given a listed origin, it may, without credentials; given no list, nobody may', async () => {
    const api = await start({ corsOrigins: ['https://app.test'] });
    const { headers } = await api.send('/api/v1/open', { headers: { origin: 'https://app.test' } });
    expect(headers['access-control-allow-origin']).toBe('https://app.test');
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    expect(
      (await (await start()).send('/api/v1/open', { headers: { origin: 'https://app.test' } })).headers['access-control-allow-origin'],
    ).toBeUndefined();
  });
  it('every answer says what a browser may do with it', async () => {
    const { headers } = await (await start()).send('/api/v1/open');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    });
    expect(headers['x-powered-by']).toBeUndefined();
  });
});
