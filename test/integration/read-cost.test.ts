// Every page and poll is a GET. Tests how many statements each may cost, and that none needs a worker.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from '../../src/db/orm.ts';
import type { Caller, Json } from '../support/http.ts';
import { accepted, carryOut, proposeAll, review, say, seedProviders, submitRequest, untilConfirmed } from '../support/play.ts';
import { seedPlace, type SeededProvider } from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { startSuite, type Suite } from '../support/suite.ts';

/** One statement for the user, one for the answer. A stream needs one more at its begin, to read the events after its position. */
const allowed = { 'application/json': 2, 'text/calendar': 2, 'text/event-stream': 3 };

let suite: Suite;
let document: Json;
/** Values of the parameters of paths and queries. */
const values: Record<string, string> = {
  category: 'plumbing',
  code: 'plumbing.leak',
  service: 'plumbing.leak',
  near: '40.7128,-74.006',
  from: new Date().toISOString(),
  to: new Date(Date.now() + 86_400_000).toISOString(),
};
/** The first caller who is allowed to read. */
const readers: [subject: string, ...roles: string[]][] = [
  ['reader', 'consumer'],
  ['', 'provider'],
  ['operator', 'admin'],
];

beforeAll(async () => {
  suite = await startSuite();
  await seedPlace(suite.orm);
  const providers = await seedProviders(suite);
  const consumer = await suite.as('reader', 'consumer');
  const requestId = await submitRequest(consumer);
  const offers = await proposeAll(suite, providers, consumer, requestId);
  accepted(await consumer.post(`/offers/${offers[0].id}/accept`));
  const booked = await untilConfirmed(suite, requestId);
  await carryOut(suite, requestId, booked);
  await review(booked.bookingId, consumer);
  readers[1]![0] = `provider-${booked.providerId}`;
  const provider = await suite.as(readers[1]![0], 'provider');
  const closed = { kind: 'closed', fromDate: new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10) };
  const { id: exceptionId } = accepted(await provider.post('/providers/me/exceptions', closed));
  const feed = accepted(await provider.post('/providers/me/calendar-feed'));
  const first = { local: `${new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10)}T12:00`, zone: 'UTC' };
  const series = accepted(await consumer.post('/series', { bookingId: booked.bookingId, everyWeeks: 1, first, count: 2 }));
  const chat = await say(consumer, 'My kitchen sink is leaking');
  const [turn] = await suite.rows<{ id: string }>('select id from turn where stream = ?', [`request/${chat.requestId}`]);
  const { id: enrollmentId } = accepted(await consumer.post('/enrollments', { displayName: 'A plumber' }));
  Object.assign(values, {
    requestId,
    offerId: offers[0].id,
    bookingId: booked.bookingId,
    confirmedId: await confirmed(consumer, providers),
    providerId: booked.providerId,
    enrollmentId,
    turnId: turn!.id,
    chatId: chat.requestId,
    exceptionId,
    seriesId: series.id,
    token: feed.url.split('/').at(-1).replace('.ics', ''),
  });
  document = await (await fetch(`${suite.url}/api/openapi.json`)).json();
  // From here on only the API uses this database.
  await suite.stopWorker();
});
afterAll(() => suite.close());

/** A booking that can still be cancelled. */
async function confirmed(consumer: Caller, providers: SeededProvider[]): Promise<string> {
  const requestId = await submitRequest(consumer);
  const [offer] = await proposeAll(suite, providers, consumer, requestId);
  accepted(await consumer.post(`/offers/${offer.id}/accept`));
  return (await untilConfirmed(suite, requestId)).bookingId;
}

async function read(url: string, token?: string): Promise<number> {
  const gone = new AbortController();
  const response = await fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {}, signal: gone.signal });
  // A stream never ends by itself, so only its beginning is read.
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) gone.abort();
  else await response.text();
  return response.status;
}

interface ReadRoute {
  path: string;
  parameters: { name: string; in: string; required?: boolean }[];
  open: boolean;
  type: keyof typeof allowed;
}

const routes = (): ReadRoute[] =>
  Object.entries<Json>(document.paths).flatMap(([path, { get }]) => {
    if (!get) return [];
    const [type] = Object.keys(get.responses['200'].content) as [keyof typeof allowed];
    return [{ path, parameters: get.parameters ?? [], open: get.security?.length === 0, type }];
  });

function urlOf({ path, parameters }: ReadRoute): string {
  const value = (name: string) => {
    const other = name === 'requestId' && path.includes('/chat/') ? 'chatId' : path.endsWith('/cancel/preview') ? 'confirmedId' : name;
    // Exceptions are days, all other windows instants.
    if (name === 'from' && path.endsWith('/exceptions')) return values['from']!.slice(0, 10);
    const found = values[other];
    if (found === undefined) throw new Error(`GET ${path}: this test has no value for ${name}`);
    return encodeURIComponent(found);
  };
  const query = parameters.filter(({ in: where, name }) => where === 'query' && name in values).map(({ name }) => `${name}=${value(name)}`);
  return `${suite.url}${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => value(name))}${query.length ? `?${query.join('&')}` : ''}`;
}

describe('reading while no worker runs', () => {
  it('every GET of the OpenAPI document answers, with two statements at most', async () => {
    const found: Record<string, string> = {};
    expect(routes().length).toBeGreaterThan(10);
    for (const route of routes()) {
      const url = urlOf(route);
      const tokens = route.open ? [undefined] : await Promise.all(readers.map((reader) => suite.token(...reader)));
      let outcome = 'nobody is let in';
      for (const token of tokens) {
        const status = await read(url, token); // The first read creates users and fills caches.
        if (status !== 200) {
          outcome = `${outcome}, ${status}`;
          continue;
        }
        const { result, count, calls } = await statementsOf(suite, () => read(url, token));
        outcome =
          result === 200 && count <= allowed[route.type]
            ? 'good'
            : `${result} with ${count} statements: ${calls.map(({ times, text }) => `${times} × ${text}`).join(' | ')}`;
        break;
      }
      if (outcome !== 'good') found[`GET ${route.path}`] = outcome;
    }
    expect(found).toEqual({});
  });

  it('the control: a route with three statements is seen', async () => {
    const server = createServer((_, response) => {
      const one = (n: number) => sql(suite.orm.em.fork(), 'select ?::int as n', [n]);
      void one(1)
        .then(() => one(2))
        .then(() => one(3))
        .then(() => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { result, count } = await statementsOf(suite, () => read(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    server.close();
    expect({ result, count }).toEqual({ result: 200, count: 3 });
    expect(count).toBeGreaterThan(allowed['application/json']);
  });
});
