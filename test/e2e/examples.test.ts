// Readers try the documentation with its examples, so every example is sent exactly as documented.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { seedCity } from '../../src/dev/city.ts';
import { documentedBodies, type DocumentedBody } from '../support/examples.ts';
import { feedServer, type FeedServer } from '../support/feed-server.ts';
import type { Json } from '../support/http.ts';
import { startPaidSuite, type PaidSuite } from '../support/paid.ts';
import { playsIn, type Plays } from './examples.plays.ts';

/**
 * Fields that are replaced: values that Proxie makes while it runs (a hash, a token, a code, an id), and the address of a calendar,
 * because a test fetches nothing from the internet. All other fields are sent as documented. That includes dates: the API moves the
 * documented dates with the day.
 */
const replaceable = ['draftHash', 'guestToken', 'code', 'bookingId', 'url'];
/** Number of plays in parallel. With more, a small machine would be too slow for the deadlines. */
const atOnce = 6;

let suite: PaidSuite;
let feeds: FeedServer;
let bodies: DocumentedBody[];
let plays: Plays;

beforeAll(async () => {
  feeds = await feedServer();
  // Paid, because `pay` only makes sense where Proxie moves the money.
  suite = await startPaidSuite({
    env: { AUTH_GUEST_SECRET: 'a-guest-secret-of-the-tests-32-bytes', OUTBOUND_ALLOWED_ORIGINS: feeds.origin },
  });
  await seedCity(suite.orm);
  const document: Json = await (await fetch(`${suite.url}/api/openapi.json`)).json();
  bodies = documentedBodies(document);
  plays = playsIn(suite, feeds, (operation) => bodies.find((body) => body.operation === operation)!.example);
});
afterAll(async () => {
  await suite.close();
  await feeds.stop();
});

/** The fault of an example; undefined when the API answers as documented. */
async function faultOf({ operation, method, path, example, success }: DocumentedBody): Promise<string | undefined> {
  if (example === undefined) return 'it has no example';
  const play = plays[operation];
  if (!play) return 'this test has no play for it';
  const { by, params = {}, replaced = {} } = await play();
  const strange = Object.keys(replaced).filter((field) => !replaceable.includes(field) || !(field in example));
  if (strange.length > 0) return `this test may not replace ${strange.join(', ')}`;
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? `{${name}}`);
  const key: Record<string, string> = method === 'POST' ? { 'idempotency-key': crypto.randomUUID() } : {};
  const { status, body } = await by.send(method, url, { ...example, ...replaced }, key);
  return success.includes(status) ? undefined : `${status} ${JSON.stringify(body)}`;
}

describe('the examples of the documentation', () => {
  it('every example of a request body works against the demo city', async () => {
    const found: Record<string, string> = {};
    const waiting = [...bodies];
    const next = async (): Promise<void> => {
      for (let body = waiting.shift(); body; body = waiting.shift()) {
        const fault = await faultOf(body).catch((error: unknown) => `it could not be played: ${String(error)}`);
        if (fault) found[body.operation] = fault;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, next));
    expect(found).toEqual({});
    expect(bodies.map(({ operation }) => operation).toSorted()).toEqual(Object.keys(plays).toSorted());
    expect(bodies.length).toBeGreaterThan(40);
  });

  it('the control: without an example, or with one that the API refuses, an operation is named', async () => {
    const body = bodies.find(({ operation }) => operation === 'POST /requests')!;
    expect(await faultOf({ ...body, example: undefined })).toBe('it has no example');
    expect(await faultOf({ ...body, example: { ...body.example, colour: 'blue' } })).toContain('/colour');
    expect(await faultOf({ ...body, operation: 'POST /new' })).toContain('no play');
    // A fixed date would lie in the past one day.
    const series = bodies.find(({ operation }) => operation === 'POST /series')!;
    const first = { ...series.example.first, local: '2026-01-06T10:00' };
    expect(await faultOf({ ...series, example: { ...series.example, first } })).toContain('must be in the future');
  });
});
