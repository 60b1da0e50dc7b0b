import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventFeed, FeedEvent } from '../../src/api/http/event-hub.ts';
import { eventually } from '../support/http.ts';
import { memoryUsers, startApi, startIssuer, type Harness, type Issuer } from './support.ts';

let keys: Issuer;
let api: Harness;
const anna = { id: crypto.randomUUID() };
const bert = { id: crypto.randomUUID() };

interface Written extends FeedEvent {
  stream: string;
  audience: string[];
}

/** A log in memory that notices like Postgres does. */
function memoryFeed() {
  const log: Written[] = [];
  let reconnected = () => {};
  const listeners = new Map<string, (payload: string) => void>();
  const feed: EventFeed = {
    async after({ userId, role, after, limit }) {
      if (after === null) return { events: [], position: String(log.length) };
      const events = log
        .filter((event) => BigInt(event.position) > BigInt(after) && (role === 'admin' || event.audience.includes(userId)))
        .slice(0, limit);
      return { events, position: events.at(-1)?.position ?? after };
    },
    audienceOf: async (stream) => [...new Set(log.filter((event) => event.stream === stream).flatMap(({ audience }) => audience))],
    listen: async (channel, onPayload, onListening) => {
      listeners.set(channel, onPayload);
      if (channel === 'proxie_event') reconnected = onListening;
      return { close: async () => {} };
    },
  };
  return {
    feed,
    log,
    reconnected: () => reconnected(),
    write(stream: string, audience: string[], type = 'offer.proposed') {
      log.push({ stream, audience, type, position: String(log.length + 1) });
      listeners.get('proxie_event')?.(stream);
    },
    turn: (payload: object | string) => listeners.get('proxie_turn')?.(typeof payload === 'string' ? payload : JSON.stringify(payload)),
  };
}
let events: ReturnType<typeof memoryFeed>;

beforeAll(async () => {
  keys = await startIssuer();
});
beforeEach(async () => {
  await api?.stop();
  events = memoryFeed();
  api = await startApi(keys.url, { ports: { feed: events.feed }, http: { eventStreamsPerUser: 3 }, users: memoryUsers({ anna, bert }) });
});
afterAll(async () => {
  await api.stop();
  await keys.close();
});

/** Opens a stream and collects what comes; `ended` resolves when the server ends it. */
async function stream(token: string, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(`${api.url}/api/v1/events`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    signal: abort.signal,
  });
  let text = '';
  const ended = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString();
  })().catch(() => {});
  const until = (pattern: RegExp) =>
    eventually(
      async () => text,
      (seen) => pattern.test(seen),
      { what: `${pattern}` },
    );
  return { response, text: () => text, ended, until, close: () => abort.abort() };
}

describe('GET /events', () => {
  it('sends what happens to those who may see it, with positions', async () => {
    const mine = await stream(await keys.token());
    expect(mine.response.headers.get('content-type')).toBe('text/event-stream');
    const theirs = await stream(await keys.token({ sub: 'bert' }));
    events.write('request/1', [anna.id]);
    events.write('request/2', [anna.id, bert.id], 'booking.confirmed');
    await mine.until(/id: 1\nevent: offer\.proposed\ndata: \{.*\}\n\nid: 2\n/);
    await theirs.until(/id: 2\nevent: booking\.confirmed\n/);
    expect(theirs.text()).not.toContain('id: 1\n');
    mine.close();
    theirs.close();
  });

  it('given Last-Event-ID, goes on behind it without a gap or a repetition', async () => {
    for (let i = 0; i < 250; i += 1) events.log.push({ stream: 's', audience: [anna.id], type: 't', position: String(i + 1) });
    const resumed = await stream(await keys.token(), { 'last-event-id': '20' });
    await resumed.until(/id: 250\n/);
    const ids = [...resumed.text().matchAll(/id: (\d+)\n/g)].map(([, id]) => Number(id));
    expect(ids).toEqual(Array.from({ length: 230 }, (_, i) => i + 21));
    resumed.close();
  });

  it('given a lost and regained connection to the log, catches up by itself', async () => {
    const mine = await stream(await keys.token());
    await sleep(50);
    events.log.push({ stream: 's', audience: [anna.id], type: 't', position: '1' });
    events.reconnected();
    await mine.until(/id: 1\n/);
    mine.close();
  });

  it('given a Last-Event-ID that is none, the answer is 400', async () => {
    const { response } = await stream(await keys.token(), { 'last-event-id': '1 or 1=1' });
    expect(response.status).toBe(400);
  });

  it('forwards parts of an answer to its reader only, and survives an unreadable one', async () => {
    const mine = await stream(await keys.token());
    const theirs = await stream(await keys.token({ sub: 'bert' }));
    events.turn('{');
    events.turn({ userId: anna.id, requestId: 'r', turnId: 't', attempt: 1, seq: 0, delta: 'Hel\nlo' });
    await mine.until(/event: turn\.delta\ndata: \{"requestId":"r","turnId":"t","attempt":1,"seq":0,"delta":"Hel\\nlo"\}\n\n/);
    expect(theirs.text()).not.toContain('turn.delta');
    mine.close();
    theirs.close();
  });

  it('ends when the token does', async () => {
    const short = await stream(await keys.token({ exp: Math.floor(Date.now() / 1000) + 1 }));
    await short.ended;
    expect(api.api.draining.aborted).toBe(false);
  });

  it('given a fourth stream of one user, the answer is 429; a closed one makes room', async () => {
    const token = await keys.token();
    const three = [await stream(token), await stream(token), await stream(token)];
    expect((await stream(token)).response.status).toBe(429);
    three[0]!.close();
    const next = await eventually(
      () => stream(token),
      ({ response }) => response.status === 200,
      { what: 'room' },
    );
    for (const one of [...three, next]) one.close();
  });

  it('fault 24: given a draining process, streams end and new ones are sent elsewhere', async () => {
    const one = await stream(await keys.token());
    api.drain();
    await one.ended;
    expect((await stream(await keys.token())).response.status).toBe(503);
    expect((await api.send('/health/ready')).json.status).toBe('draining');
  });
});
