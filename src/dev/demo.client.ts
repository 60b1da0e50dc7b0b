import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackError } from './progress.ts';

/** The public API for one user: fetch, a bearer token, an Idempotency-Key. */
export interface DemoClient {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: object): Promise<T>;
}

const requestLimitMs = 20_000;
/** The most times a command is sent when the API asks for a repetition. The key makes that safe. */
const attempts = 3;

export function demoClient(api: string, token: string): DemoClient {
  async function send<T>(method: string, path: string, body?: object): Promise<T> {
    const key = randomUUID();
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(`${api}/api/v1${path}`, {
        method,
        signal: AbortSignal.timeout(requestLimitMs),
        headers: {
          authorization: `Bearer ${token}`,
          ...(body ? { 'content-type': 'application/json', 'idempotency-key': key } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await response.text();
      if (response.ok) return JSON.parse(text) as T;
      if (response.status !== 503 || attempt === attempts)
        throw new StackError(`${method} ${path} answered ${response.status}: ${text.slice(0, 500)}`);
      await sleep(Number(response.headers.get('retry-after') ?? 1) * 1_000);
    }
  }
  return { get: (path) => send('GET', path), post: (path, body) => send('POST', path, body) };
}

/**
 * Asks again until there is an answer.
 * @param what text for the error: the awaited thing
 * @throws StackError naming the awaited thing
 */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, withinMs = 60_000): Promise<T> {
  for (const end = Date.now() + withinMs; ;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new StackError(`Waited ${withinMs / 1_000} s in vain for ${what}.`);
    await sleep(200);
  }
}
