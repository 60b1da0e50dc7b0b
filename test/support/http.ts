import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** Tests assert answers, so answers have no type. */
export type Json = any;

export interface Answer {
  status: number;
  body: Json;
  headers: Headers;
}

export interface Caller {
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Sends a new Idempotency-Key, unless `headers` contain one. */
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  patch(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

/** Calls the API as one user, over a real socket. */
export function caller(baseUrl: string, token?: string): Caller {
  async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${baseUrl}${path.startsWith('/health') ? '' : '/api/v1'}${path}`, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text && /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text,
      headers: response.headers,
    };
  }
  return {
    send,
    get: (path, headers) => send('GET', path, undefined, headers),
    post: (path, body = {}, headers) => send('POST', path, body, headers),
    patch: (path, body, headers) => send('PATCH', path, body, headers),
  };
}

/**
 * Repeats a question until its answer is as expected, for effects that follow an acknowledgement.
 * @throws an error with the last answer
 */
export async function eventually<T>(
  ask: () => Promise<T>,
  enough: (value: T) => boolean,
  { withinMs = 60_000, what = 'it' } = {},
): Promise<T> {
  const until = Date.now() + withinMs;
  for (;;) {
    const value = await ask();
    if (enough(value)) return value;
    if (Date.now() > until)
      throw new Error(`${what} did not happen within ${withinMs} ms; last seen: ${JSON.stringify(value)?.slice(0, 2_000)}`);
    await sleep(50);
  }
}
