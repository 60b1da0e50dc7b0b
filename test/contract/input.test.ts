import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { probe } from './probe.ts';
import { startApi, startIssuer, type Harness, type Issuer } from './support.ts';

let keys: Issuer;
let api: Harness;
let token: string;
const things = '/api/v1/things';
const id = '3f2a8c1e-5b7d-4e9f-8a6b-1c2d3e4f5a6b';
let n = 0;

beforeAll(async () => {
  keys = await startIssuer();
  api = await startApi(keys.url, { features: [probe().feature] });
  token = await keys.token();
});
afterAll(async () => {
  await api.stop();
  await keys.close();
});
const post = (options: Parameters<Harness['send']>[1]) =>
  api.send(things, { method: 'POST', token, ...options, headers: { 'idempotency-key': `input-${(n += 1)}`, ...options?.headers } });

describe('fault 55: JSON', () => {
  it.each([
    ['trailing comma', '{"text":"a",}'],
    ['NaN', '{"text":"a","count":NaN}'],
    ['byte order mark', '\ufeff{"text":"a"}'],
    ['1e400', '{"text":"a","count":1e400}'],
    ['unclosed', '{"text":"a"'],
    ['single quotes', "{'text':'a'}"],
    ['nested 20,000 deep', '['.repeat(20_000) + ']'.repeat(20_000)],
    ['two values', '{"text":"a"} {}'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0x74, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])],
    ['control character', '{"text":"a\u0001"}'],
  ])('given %s, the answer is 400 malformed', async (_name, raw) => {
    const answer = await post({ raw });
    expect([answer.status, answer.json.code]).toEqual([400, 'malformed']);
  });

  it.each([
    ['a string', '"x"'],
    ['a number', '1'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a big integer', '{"text":"a","count":12345678901234567890}'],
    ['a fraction', '{"text":"a","count":0.5}'],
    ['a lone surrogate', '{"text":"\\ud800"}'],
    ['NUL (fault 56)', '{"text":"a\\u0000b"}'],
  ])('given %s, the answer is 422', async (_name, raw) => {
    expect((await post({ raw })).status).toBe(422);
  });

  it('given duplicate keys, the last one wins', async () => {
    expect((await post({ raw: '{"text":"a","text":"b"}' })).json.text).toBe('b');
  });

  it('given 5,000 unknown keys, the refusal stays small', async () => {
    const answer = await post({ body: Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, 1])) });
    expect(answer.status).toBe(422);
    expect(answer.json.fields.length).toBeLessThanOrEqual(51);
  });

  it.each(['👩‍👩‍👧‍👦 Ṱ̈o͂ 𝕳 عربى', '\u202eevil', 'e\u0301 vs \u00e9', "'; drop table event; --"])(
    'fault 56: %j comes back byte-equal',
    async (text) => {
      expect((await post({ body: { text } })).json.text).toBe(text);
    },
  );
});

describe('fault 48: mass assignment', () => {
  it.each(['status', 'price', 'provider_id', 'role', 'createdAt', 'constructor'])(
    'given an unknown field %s, it is refused and named',
    async (field) => {
      const answer = await post({ body: { text: 'a', [field]: 'x' } });
      expect(answer.json).toMatchObject({
        status: 422,
        code: 'validation_failed',
        fields: [{ in: 'body', field: `/${field}`, message: 'Unknown field.' }],
      });
    },
  );
  it('given an unknown field further in, it is refused too', async () => {
    expect((await post({ body: { text: 'a', inner: { flag: true, admin: true } } })).json.fields[0].field).toBe('/inner/admin');
  });
  it('names every field at fault', async () => {
    const { json } = await post({ body: { count: 11 } });
    expect(json.fields.map(({ field }: { field: string }) => field).sort()).toEqual(['/count', '/text']);
  });
});

describe('fault 49: prototype pollution', () => {
  it.each(['{"text":"a","__proto__":{"polluted":1}}', '{"text":"a","inner":{"flag":true,"__proto__":{"polluted":1}}}'])(
    'given %s, it is refused',
    async (raw) => {
      expect((await post({ raw })).status).toBe(422);
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
    },
  );
  it.each(['__proto__[x]=1', 'a[__proto__][x]=1', 'constructor[prototype][x]=1', '__proto__=1'])(
    'given the query %s, it is refused',
    async (query) => {
      expect((await api.send(`/api/v1/open?${query}`)).status).toBe(422);
      expect(({} as { x?: string }).x).toBeUndefined();
    },
  );
});

describe('fault 47: ids', () => {
  it.each([`{${id}}`, 'nonsense', '%00', "1' or '1'='1", `${id}0`])('given %s, nothing is looked up', async (bad) => {
    expect((await api.send(`${things}/${encodeURI(bad)}`, { token })).status).toBe(422);
  });
  it('given upper case, it is the same id', async () => {
    expect((await api.send(`${things}/${id.toUpperCase()}`, { token })).json.id).toBe(id);
  });
  it('given a broken escape, the answer is 400', async () => {
    expect((await api.send(`${things}/%E0%A4%A`, { token })).status).toBe(400);
  });
});

describe('fault 52: what is echoed', () => {
  it.each(['bad id', 'x'.repeat(200), 'é', 'a{b}'])('given X-Request-Id %j, it is replaced', async (given) => {
    const answer = await api.send('/api/v1/open', { headers: { 'x-request-id': Buffer.from(given).toString('latin1') } });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
  it('given a safe X-Request-Id, it comes back in header and problem', async () => {
    const answer = await api.send('/api/v1/nothing', { headers: { 'x-request-id': 'client-1' } });
    expect([answer.headers['x-request-id'], answer.json.requestId]).toEqual(['client-1', 'client-1']);
  });
  it('continues a valid trace, restarts an invalid one, and never trusts the sampled flag', async () => {
    const trace = async (traceparent: string) =>
      (await api.send('/api/v1/open', { headers: { traceparent } })).headers.traceparent as string;
    const valid = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    expect(await trace(valid)).toMatch(/^00-a{32}-(?!b{16})[0-9a-f]{16}-00$/);
    expect(await trace(valid.replaceAll('a', '0'))).not.toMatch(/^00-0{32}/);
    expect(await trace(`ff${valid.slice(2)}`)).not.toContain('a'.repeat(32));
  });
});

describe('fault 54: bodies', () => {
  it('given a body at the limit, it is read; one byte more is 413 and the connection closes', async () => {
    const fits = `{"text":"a"${' '.repeat(64 * 1024 - 12)}}`;
    expect((await post({ raw: fits })).status).toBe(201);
    const answer = await post({ raw: `${fits} ` });
    expect([answer.status, answer.json.code, answer.headers.connection]).toEqual([413, 'payload_too_large', 'close']);
  });
  it('given a gzip bomb, it is never unpacked', async () => {
    const answer = await post({ raw: gzipSync(Buffer.alloc(50_000_000, 32)), headers: { 'content-encoding': 'gzip' } });
    expect(answer.status).toBe(415);
  });
  it('given chunks without end, it is 413 and the connection closes', async () => {
    const chunk = 'x'.repeat(16_384);
    const head = `POST ${things} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: chunks\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const text = await raw(head, `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });
  it('given Content-Length and Transfer-Encoding, it is refused', async () => {
    const text = await raw(`POST ${things} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
  });
  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1', 'multipart/form-data; boundary=x'])(
    'fault 58: given Content-Type %s, the answer is 415',
    async (type) => {
      expect((await post({ raw: '{"text":"a"}', headers: { 'content-type': type } })).status).toBe(415);
    },
  );

  /** Sends bytes (the second part again and again) and returns what comes back until the server closes. */
  function raw(head: string, again?: string): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(api.port, '127.0.0.1');
      let text = '';
      const repeat = again ? setInterval(() => socket.write(again), 1) : undefined;
      socket.on('data', (bytes) => (text += bytes));
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(repeat);
        resolve(text);
      });
      socket.write(head);
    });
  }
});

describe('fault 62: methods and paths', () => {
  it('given a method the path does not know, the answer is 405 with Allow', async () => {
    const answer = await api.send(`${things}/${id}`, { method: 'DELETE', token });
    expect([answer.status, answer.json.code, answer.headers.allow]).toEqual([405, 'method_not_allowed', 'GET, PATCH, HEAD, OPTIONS']);
  });
  it('given an override header, it is ignored', async () => {
    expect((await api.send(`${things}/${id}`, { token, headers: { 'x-http-method-override': 'DELETE' } })).status).toBe(200);
  });
  it.each(['/api/v1/Open', '/api/v1/open/', '/api/v2/open', '/'])('given %s, the answer is 404 as a problem', async (path) => {
    const answer = await api.send(path);
    expect([answer.status, answer.json.code]).toEqual([404, 'not_found']);
  });
  it('given HEAD and OPTIONS, they work', async () => {
    expect((await api.send('/api/v1/open', { method: 'HEAD' })).status).toBe(200);
    expect((await api.send('/api/v1/open', { method: 'OPTIONS' })).headers.allow).toBe('GET, HEAD, OPTIONS');
  });
});

describe('ETag', () => {
  const one = `${things}/${id}`;
  const patch = (headers: Record<string, string>) => api.send(one, { method: 'PATCH', token, body: { text: 'b' }, headers });
  it('given the version the reader has, reading answers 304', async () => {
    const { headers } = await api.send(one, { token });
    expect(headers.etag).toBe('"7"');
    expect((await api.send(one, { token, headers: { 'if-none-match': '"1", W/"7"' } })).status).toBe(304);
  });
  it('given no If-Match, changing answers 428; an old one, 412; the current one, it changes', async () => {
    expect((await patch({})).status).toBe(428);
    expect((await patch({ 'if-match': '"6"' })).status).toBe(412);
    expect((await patch({ 'if-match': 'W/"7"' })).status).toBe(412);
    const done = await patch({ 'if-match': '"7"' });
    expect([done.status, done.headers.etag]).toEqual([200, '"8"']);
  });
});

describe('fault 64: pages', () => {
  it.each(['0', '-1', '1e9', '101', 'x', ''])('given limit=%s, the answer is 422', async (limit) => {
    expect((await api.send(`${things}?limit=${limit}`, { token })).status).toBe(422);
  });
  it('given a cursor that is forged, or of another user, the answer is 422', async () => {
    const sealed = api.api.cursors.seal('things somebody', ['2026-01-01', 'x']);
    for (const cursor of [sealed, `${sealed}A`, 'AAAA', '', `${sealed.slice(0, 10)}!${sealed.slice(11)}`]) {
      expect([cursor, (await api.send(`${things}?cursor=${cursor}`, { token })).status]).toEqual([cursor, 422]);
    }
  });
  it('given a cursor of their own, the reader goes on behind it', async () => {
    const { id: userId } = await api.users.resolve({ subject: 'anna' } as never);
    const cursor = api.api.cursors.seal(`things ${userId}`, ['2026-01-01', 'x']);
    expect((await api.send(`${things}?limit=5&cursor=${cursor}`, { token })).json).toEqual({ limit: 5, after: ['2026-01-01', 'x'] });
  });
});
