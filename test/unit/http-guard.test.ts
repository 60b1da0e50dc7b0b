import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { httpGuard, type HttpGuard, type OutboundCall } from '../../src/integrations/http-guard.ts';
import { isPublicAddress } from '../../src/integrations/public-address.ts';
import { selfSigned } from '../support/certificate.ts';
import { feedServer, type FeedServer } from '../support/feed-server.ts';

const names: Record<string, string[]> = {
  'public.test': ['93.184.216.34', '2606:2800:220:1::1'],
  'internal.test': ['10.0.0.5'],
  'metadata.test': ['169.254.169.254'],
  'mixed.test': ['93.184.216.34', '127.0.0.1'],
  'nowhere.test': [],
};
const resolve = (host: string) =>
  names[host]
    ? Promise.resolve(names[host].map((address) => ({ address, family: address.includes(':') ? 6 : 4 })))
    : Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));

const limits: OutboundCall = { maxBytes: 100_000, timeoutMs: 20_000 };
/** The code of the refusal, or the status of the answer. */
const outcome = (guard: HttpGuard, url: string, call = limits) =>
  guard.call(url, call).then(
    ({ status }) => status,
    (error: { code: string }) => error.code,
  );
const checked = (guard: HttpGuard, url: string) =>
  guard.check(url).then(
    () => 'safe',
    (error: { code: string }) => error.code,
  );

let server: FeedServer;
let guard: HttpGuard;
beforeAll(async () => {
  server = await feedServer();
  guard = httpGuard({ allowedOrigins: [server.origin], resolve });
});
afterAll(() => server.stop());
beforeEach(() => {
  server.answers = {};
  server.requests.length = 0;
  server.connections = 0;
});

/** Addresses of this machine, of its network, and of those who run it, in every spelling there is. */
const inside = `
  127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0177.0.0.1 017700000001 127.0.0.1. 127.255.255.254
  １２７.０.０.１ 127。0。0。1 %31%32%37.0.0.1 0 0.0.0.0 0x0 00.00
  [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:FFFF:7F00:0001] [::127.0.0.1]
  [64:ff9b::7f00:1] [64:ff9b:1::a00:1] [2002:7f00:1::] [2001:0:7f00:1::] [2001:db8::1] [3fff::1] [100::1]
  [fe80::1] [fc00::1] [fd00:ec2::254] [fec0::1] [ff02::1] [5f00::1]
  169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 [::ffff:169.254.169.254] 169.254.170.2 168.63.129.16
  100.100.100.200 100.64.0.1 192.0.0.192 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1
  192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
`
  .trim()
  .split(/\s+/);

describe('fault 50: an address that leads inside', () => {
  it.each(inside)('https://%s/ is refused when it is saved and when it is called, before anything is sent', async (host) => {
    expect(await checked(guard, `https://${host}/`)).toBe('unsafe_url');
    expect(await outcome(guard, `https://${host}/`)).toBe('unsafe_url');
  });

  it.each(['localhost', 'LOCALHOST'])('the name %s is refused by what the system resolves it to', async (host) => {
    const real = httpGuard();
    expect(await checked(real, `https://${host}/`)).toBe('unsafe_url');
    expect(await outcome(real, `https://${host}/`)).toBe('unsafe_url');
  });

  it.each(['internal.test', 'metadata.test', 'nowhere.test', 'mixed.test', 'unknown.test'])(
    'the name %s is refused: it leads inside, in part or nowhere',
    async (host) => {
      expect(await checked(guard, `https://${host}/`)).toBe('unsafe_url');
      expect(await outcome(guard, `https://${host}/`)).toBe(host === 'unknown.test' ? 'unreachable' : 'unsafe_url');
    },
  );

  const others = `
    http://public.test/ file:///etc/passwd gopher://public.test:70/_x ftp://public.test/ data:text/calendar,x javascript:alert(1)
    //public.test/ public.test https:// ws://public.test/ unix:/var/run/docker.sock
    https://me@public.test/ https://me:secret@public.test/ https://:secret@public.test/
    https://public.test:80/ https://public.test:8443/ https://public.test:22/ https://public.test:5432/`;
  it.each([...others.trim().split(/\s+/), '', `https://public.test/${'x'.repeat(2_048)}`])(
    '%p is refused: another scheme, another port, credentials, too long',
    async (url) => {
      expect(await checked(guard, url)).toBe('unsafe_url');
      expect(await outcome(guard, url)).toBe('unsafe_url');
    },
  );

  it('a public name is safe, also with its port spelled out', async () => {
    expect(await checked(guard, 'https://public.test/a.ics?key=1')).toBe('safe');
    expect(await checked(guard, 'https://public.test:443/')).toBe('safe');
    expect(await checked(guard, 'https://93.184.216.34/')).toBe('safe');
    expect(await checked(guard, 'https://[2606:2800:220:1::1]/')).toBe('safe');
  });

  it('a port of this machine that listens never sees a connection', async () => {
    const { port } = new URL(server.origin);
    const strict = httpGuard({ resolve });
    for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', '2130706433', 'localhost']) {
      for (const scheme of ['http', 'https']) expect(await outcome(strict, `${scheme}://${host}:${port}/`)).toBe('unsafe_url');
    }
    expect(server.connections).toBe(0);
  });

  it('DNS rebinding: a name that was public when it was saved and is not when it is called is refused', async () => {
    const answers = ['93.184.216.34', '127.0.0.1'];
    const rebinding = httpGuard({ resolve: async () => [{ address: answers.shift()!, family: 4 }] });
    expect(await checked(rebinding, 'https://rebinding.test/')).toBe('safe');
    expect(await outcome(rebinding, 'https://rebinding.test/')).toBe('unsafe_url');
  });

  it('DNS rebinding: the address that was checked is the one that is connected to; nobody asks again', async () => {
    // Public by its number, and handed out to nobody: whoever tries it gets nowhere.
    const answers = ['2000::1', '127.0.0.1'];
    const tried: string[] = [];
    const watch = ({ socket }: { socket: Socket }) => void socket.on('connectionAttempt', (address) => void tried.push(address));
    const listener = watch as unknown as (message: unknown) => void;
    subscribe('net.client.socket', listener);
    try {
      const rebinding = httpGuard({ resolve: async () => [{ address: answers.shift()!, family: 6 }] });
      expect(await outcome(rebinding, 'https://rebinding.test/', { ...limits, timeoutMs: 3_000 })).toMatch(/^(unreachable|timeout)$/);
    } finally {
      unsubscribe('net.client.socket', listener);
    }
    expect(tried).toEqual(['2000::1']);
    expect(answers).toEqual(['127.0.0.1']);
  });

  it('a name that cannot be looked up now is neither safe nor unsafe', async () => {
    const down = httpGuard({ resolve: () => Promise.reject(Object.assign(new Error(), { code: 'EAI_AGAIN' })) });
    expect(await checked(down, 'https://public.test/')).toBe('temporarily_unavailable');
  });

  it.each([301, 302, 303, 307, 308])('a redirect (%i) is a failure, and its target is not asked', async (status) => {
    server.answers['/moved'] = (_req, res) => void res.writeHead(status, { location: `${server.origin}/inside` }).end();
    expect(await outcome(guard, `${server.origin}/moved`)).toBe('redirected');
    expect(server.requests.map(({ path }) => path)).toEqual(['/moved']);
  });

  it('only the exact origin that the operator vouches for is called', async () => {
    server.answers['/ok'] = (_req, res) => void res.end('ok');
    expect(await checked(guard, `${server.origin}/ok`)).toBe('safe');
    expect(await outcome(guard, `${server.origin}/ok`)).toBe(200);
    expect(await checked(guard, server.origin.replace('http:', 'https:'))).toBe('unsafe_url');
    expect(await checked(guard, server.origin.replace('127.0.0.1', 'localhost'))).toBe('unsafe_url');
    expect(await checked(guard, server.origin.replace('//', '//me@'))).toBe('unsafe_url');
  });

  it.each(['', 'x', '1.2.3', '127.1', '0x7f.0.0.1', 'localhost', '::ffff:8.8.8.8', 'fe80::1%eth0'])(
    '%p is not the address of a public host',
    (text) => expect(isPublicAddress(text)).toBe(false),
  );
});

describe('an answer that is not meant well', () => {
  const megabytes = (count: number) => Buffer.alloc(count * 1_000_000);

  it.each([
    ['gzip', gzipSync(megabytes(50))],
    ['br', brotliCompressSync(megabytes(50))],
  ])('fault 54: a bomb (%s) is cut at the limit, counted after decompression', async (encoding, body) => {
    expect(body.length).toBeLessThan(100_000);
    server.answers['/bomb'] = (_req, res) => void res.writeHead(200, { 'content-encoding': encoding }).end(body);
    expect(await outcome(guard, `${server.origin}/bomb`)).toBe('too_large');
  });

  it('a body without end is cut at the limit, and the connection with it', async () => {
    const closed = Promise.withResolvers<void>();
    server.answers['/endless'] = (_req, res) => {
      const more = setInterval(() => res.write(Buffer.alloc(20_000)), 1);
      res.once('close', () => (clearInterval(more), closed.resolve()));
    };
    expect(await outcome(guard, `${server.origin}/endless`)).toBe('too_large');
    await closed.promise;
  });

  it('a body at the limit is taken whole, one byte more is not', async () => {
    server.answers['/fits'] = (_req, res) => void res.end(Buffer.alloc(100_000, 'x'));
    server.answers['/over'] = (_req, res) => void res.end(Buffer.alloc(100_001, 'x'));
    expect((await guard.call(`${server.origin}/fits`, limits)).body).toHaveLength(100_000);
    expect(await outcome(guard, `${server.origin}/over`)).toBe('too_large');
  });

  it.each([
    ['sends no header', () => {}],
    ['drips a byte now and then', (res: { write(text: string): void }) => void setInterval(() => res.write('x'), 50).unref()],
  ])('a server that %s is cut when the time is over', async (_, answer) => {
    server.answers['/slow'] = (_req, res) => answer(res);
    const began = Date.now();
    expect(await outcome(guard, `${server.origin}/slow`, { ...limits, timeoutMs: 300 })).toBe('timeout');
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it('a name that is looked up for ever is given up when the time is over', async () => {
    const silent = httpGuard({ resolve: () => new Promise(() => {}) });
    expect(await outcome(silent, 'https://silent.test/', { ...limits, timeoutMs: 200 })).toBe('timeout');
  });

  it.each([
    ['an encoding nobody knows', { 'content-encoding': 'zstd, gzip' }, 'x'],
    ['half of a packed body', { 'content-encoding': 'gzip' }, gzipSync('x'.repeat(5_000)).subarray(0, 20)],
    ['what is not packed at all', { 'content-encoding': 'gzip' }, 'BEGIN:VCALENDAR'],
  ])('%s is garbled', async (_, headers, body) => {
    server.answers['/garbled'] = (_req, res) => void res.writeHead(200, headers).end(body);
    expect(await outcome(guard, `${server.origin}/garbled`)).toBe('garbled');
  });

  it('a body that ends before its length is not taken for whole', async () => {
    server.answers['/short'] = (_req, res) => {
      res.writeHead(200, { 'content-length': '1000' });
      res.write('half');
      setTimeout(() => res.destroy(), 20);
    };
    expect(await outcome(guard, `${server.origin}/short`)).toBe('unreachable');
  });

  it('nobody there is unreachable', async () => {
    const gone = await feedServer();
    await gone.stop();
    expect(await outcome(httpGuard({ allowedOrigins: [gone.origin] }), `${gone.origin}/`)).toBe('unreachable');
  });

  it('the caller may stop it', async () => {
    server.answers['/slow'] = () => {};
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    expect(await outcome(guard, `${server.origin}/slow`, { ...limits, signal: stop.signal })).toBe('unreachable');
  });

  it('what is sent arrives: method, headers and body, and nothing about us but a name', async () => {
    let body = '';
    server.answers['/hook'] = (req, res) => {
      req.on('data', (chunk: Buffer) => (body += chunk.toString()));
      req.on('end', () => res.writeHead(202).end());
    };
    expect(await outcome(guard, `${server.origin}/hook`, { ...limits, method: 'POST', headers: { 'x-id': '1' }, body: '{"a":1}' })).toBe(
      202,
    );
    expect(body).toBe('{"a":1}');
    expect(server.requests[0]).toMatchObject({ method: 'POST', headers: { 'x-id': '1', 'user-agent': 'Proxie' } });
  });
});

describe('TLS', () => {
  it('a certificate that nobody has vouched for is refused before anything is sent; a trusted one is taken', async () => {
    const own = selfSigned('proxie.test');
    const tls = await feedServer(own);
    const trusting = httpGuard({ allowedOrigins: [tls.origin] });
    const before = getCACertificates('default');
    try {
      tls.answers['/ok'] = (_req, res) => void res.end('ok');
      expect(await outcome(trusting, `${tls.origin}/ok`)).toBe('bad_certificate');
      expect(tls.requests).toEqual([]);
      setDefaultCACertificates([...before, own.cert]);
      expect(await outcome(trusting, `${tls.origin}/ok`)).toBe(200);
    } finally {
      setDefaultCACertificates(before);
      await tls.stop();
    }
  });
});
