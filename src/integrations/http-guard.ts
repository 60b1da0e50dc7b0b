// The one way to call an address that a user has given. Only public hosts over https are called. The socket connects to the
// address that was checked, redirects are not followed, and size and time are bounded here.
import { lookup } from 'node:dns/promises';
import { request as plainRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { callbackify } from 'node:util';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { DomainError } from '../domain/errors.ts';
import { isPublicAddress } from './public-address.ts';

export const outboundFaults = ['unsafe_url', 'unreachable', 'timeout', 'bad_certificate', 'redirected', 'too_large', 'garbled'] as const;
export type OutboundFault = (typeof outboundFaults)[number];

/** The server cannot be called, or its answer is not accepted. The message may contain its address: never log it. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly code: OutboundFault;

  constructor(code: OutboundFault, cause?: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

export interface OutboundAnswer {
  /** HTTP status; never a redirect. */
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface OutboundCall {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Limit of the answer's size, after decompression. */
  maxBytes: number;
  /** Limit for the whole call in milliseconds, from the name look-up to the last byte. */
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface HttpGuard {
  /** Checks an address when a user saves it. @throws unsafe_url · temporarily_unavailable when its name cannot be looked up now */
  check(url: string): Promise<void>;
  /** Calls an address. @throws OutboundError */
  call(url: string, call: OutboundCall): Promise<OutboundAnswer>;
}

interface Address {
  address: string;
  family: number;
}

export interface HttpGuardOptions {
  /** Origins that the operator trusts: scheme, port and address are not checked for them. */
  allowedOrigins?: readonly string[];
  /** Looks up all addresses of a name. */
  resolve?: (host: string) => Promise<Address[]>;
}

const maxUrlLength = 2_048;
const checkTimeoutMs = 5_000;
const resolveAll = (host: string) => lookup(host, { all: true, order: 'verbatim' });

export function httpGuard({ allowedOrigins = [], resolve = resolveAll }: HttpGuardOptions = {}): HttpGuard {
  const vouchedFor = ({ origin }: URL) => allowedOrigins.includes(origin);

  /**
   * Checks that need only the text. `URL` has already turned octal, hexadecimal, decimal and short spellings into one.
   * @throws unsafe_url
   */
  function parse(text: string): URL {
    if (text.length > maxUrlLength || !URL.canParse(text)) throw unsafe('This is not an address.');
    const url = new URL(text);
    if (url.username || url.password) throw unsafe('An address with a name or a password in it is not fetched.');
    if (vouchedFor(url)) return url;
    if (url.protocol !== 'https:') throw unsafe('Only https:// addresses are fetched.');
    if (url.port) throw unsafe('Only port 443 is fetched.');
    const host = hostOf(url);
    if (isIP(host) && !isPublicAddress(host)) throw unsafe();
    return url;
  }

  /**
   * One private address among public ones is enough to refuse the host: the socket could connect to any of them.
   * @throws unsafe_url
   */
  async function publicAddresses(host: string): Promise<Address[]> {
    const found = await resolve(host);
    if (found.length === 0 || found.some(({ address }) => !isPublicAddress(address))) throw unsafe();
    return found;
  }

  /**
   * Look-up for the socket: it checks the addresses again at the time of the call and connects to one of these. A name may have
   * changed its meaning since the address was saved.
   */
  const pinned: LookupFunction = (host, { all }, done) =>
    callbackify(publicAddresses)(host, (error, found) => {
      if (error) done(error, '');
      else if (all) done(null, found);
      else done(null, found[0]!.address, found[0]!.family);
    });

  return {
    async check(text) {
      const url = parse(text);
      if (vouchedFor(url) || isIP(hostOf(url))) return;
      await within(checkTimeoutMs, publicAddresses(hostOf(url))).catch((error: unknown) => {
        if (error instanceof DomainError) throw error;
        if (unknownName.has((error as NodeJS.ErrnoException).code ?? '')) throw unsafe('Nobody knows the host of this address.');
        throw new DomainError('temporarily_unavailable', 'The host of this address cannot be looked up now.', { retryAfterS: 5 });
      });
    },

    async call(text, { method = 'GET', headers = {}, body, maxBytes, timeoutMs, signal }) {
      const deadline = AbortSignal.timeout(timeoutMs);
      try {
        const url = parse(text);
        const options: RequestOptions = {
          method,
          headers: { 'user-agent': 'Proxie', 'accept-encoding': 'gzip', ...headers },
          // Each call gets a connection of its own: a kept connection would skip the look-up of the next call.
          agent: false,
          signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
          ...(!vouchedFor(url) && { lookup: pinned }),
        };
        const answer = await answerOf(url, options, body);
        const { statusCode: status = 0 } = answer;
        if (status >= 300 && status < 400 && status !== 304) {
          answer.destroy();
          throw new OutboundError('redirected');
        }
        return { status, headers: answer.headers, body: await bodyOf(answer, maxBytes) };
      } catch (error) {
        throw deadline.aborted ? new OutboundError('timeout', error) : toOutboundError(error);
      }
    },
  };
}

const unsafe = (message?: string) => new DomainError('unsafe_url', message);
const unknownName = new Set(['ENOTFOUND', 'ENODATA']);

/** The host name, for IPv6 without brackets. */
const hostOf = ({ hostname }: URL) => hostname.replace(/^\[(.*)\]$/, '$1');

function answerOf(url: URL, options: RequestOptions, body: string | Buffer | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? tlsRequest(url, options) : plainRequest(url, options);
    request.once('response', resolve).on('error', reject).end(body);
  });
}

async function bodyOf(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  async function collect(source: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > maxBytes) throw new OutboundError('too_large');
      chunks.push(chunk);
    }
  }
  const unpack = unpackers[String(answer.headers['content-encoding'] ?? 'identity').toLowerCase()];
  if (!unpack) {
    answer.destroy();
    throw new OutboundError('garbled');
  }
  const unpacked = unpack();
  await (unpacked ? pipeline(answer, unpacked, collect) : pipeline(answer, collect));
  return Buffer.concat(chunks, size);
}

const unpackers: Readonly<Record<string, () => Transform | null>> = {
  identity: () => null,
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

function toOutboundError(error: unknown): OutboundError {
  if (error instanceof OutboundError) return error;
  if (error instanceof DomainError) return new OutboundError('unsafe_url', error);
  const code = String((error as NodeJS.ErrnoException).code ?? '');
  if (/CERT|TLS|SSL|SIGNATURE|ISSUER/.test(code)) return new OutboundError('bad_certificate', error);
  return new OutboundError(/^(?:Z_|ERR_BROTLI|ERR__ERROR|HPE_)/.test(code) ? 'garbled' : 'unreachable', error);
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('late')), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
