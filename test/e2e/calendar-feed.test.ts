import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import ICAL from 'ical.js';
import { DEV_ISSUER } from '../../src/config.ts';
import { utcText } from '../support/feed-server.ts';
import type { Caller } from '../support/http.ts';
import { accepted, invited, submitRequest, untilConfirmed, untilStatus } from '../support/play.ts';
import { seedPlace, seedProvider, type SeededProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

const hour = 3_600_000;
let suite: Suite;
let provider: SeededProvider;
let me: Caller;

beforeAll(async () => {
  suite = await startSuite();
  await seedPlace(suite.orm);
});
afterAll(() => suite.close());
beforeEach(async () => {
  // The request of each test matches only the provider of this test.
  await suite.rows(`update provider set status = 'closed'`);
  provider = await seedProvider(suite.orm);
  me = await suite.as(provider.subject, 'provider');
});

const consumer = () => suite.as(`consumer-${randomUUID()}`, 'consumer');
/** Fetches a feed as a calendar app does. */
const fetchCalendar = (url: string, headers: Record<string, string> = {}) => fetch(url, { headers });
const open = async (): Promise<string> => accepted(await me.post('/providers/me/calendar-feed')).url;
const eventsIn = (text: string) =>
  new ICAL.Component(ICAL.parse(text) as never).getAllSubcomponents('vevent').map((event) => {
    const value = (name: string) => event.getFirstPropertyValue(name)?.toString();
    return {
      uid: value('uid'),
      start: value('dtstart'),
      sequence: Number(value('sequence')),
      status: value('status'),
      location: value('location'),
    };
  });

/** A confirmed booking of this provider, played over HTTP. */
async function booked(): Promise<{ requestId: string; bookingId: string; winner: Caller }> {
  const asks = await consumer();
  await asks.patch('/me', { displayName: 'Canary Consumer' });
  const requestId = await submitRequest(asks, { mode: 'instant' });
  const { caller, offerId } = await invited(suite, provider, requestId);
  accepted(await caller.post(`/offers/${offerId}/accept`));
  return { requestId, ...(await untilConfirmed(suite, requestId)) };
}

/** Writes a hold directly into the database, with the given lifetime. */
async function held(forMs: number): Promise<string> {
  const [user, request, id] = [randomUUID(), randomUUID(), randomUUID()];
  const from = new Date(Date.now() + 100 * hour).toISOString();
  const range = `[${from},${new Date(Date.parse(from) + hour).toISOString()})`;
  await suite.rows('insert into user_account (id, issuer, subject) values (?, ?, ?)', [user, DEV_ISSUER, user]);
  await suite.rows('insert into request (id, consumer_id, catalogue_version) values (?, ?, 1)', [request, user]);
  await suite.rows(
    `insert into fact (id, stream, key, value, status) values (?, ?, 'location', '{"address":"1 Main Street"}', 'current')`,
    [randomUUID(), `request/${request}`],
  );
  await suite.rows(
    `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, during, occupied, zone, price, currency, policy, held_until)
     values (?, ?, ?, ?, ?, 'plumbing.leak', ?::tstzrange, ?::tstzrange, 'UTC', 1, 'USD', '{}', now() + ? * interval '1 ms')`,
    [id, request, randomUUID(), user, provider.id, range, range, forMs],
  );
  return id;
}

describe('the calendar of bookings', () => {
  it('a calendar app reads it by its address alone, and learns services, times and states, but nobody’s name, address or price', async () => {
    const { bookingId } = await booked();
    const url = await open();
    const answer = await fetchCalendar(url);
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/calendar; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('private, no-cache');
    expect(eventsIn(text)).toMatchObject([{ uid: `${bookingId}@booking.proxie`, status: 'CONFIRMED', location: undefined }]);
    const [row] = await suite.rows<{ at: Date }>('select lower(during) as at from booking where id = ?', [bookingId]);
    expect(text).toContain(`DTSTART:${utcText(new Date(row!.at).getTime())}`);
    expect(text).not.toMatch(/canary|main street|kitchen|150\.00|@example|consumer/i);
  });

  it('read again after the booking has changed it is the same entry in a later version, and a cancelled one is gone', async () => {
    const { bookingId } = await booked();
    const url = await open();
    const [before] = eventsIn(await (await fetchCalendar(url)).text());
    // The traces of any move of a booking: another slot and an event.
    await suite.rows(`update booking set during = occupied, zone = 'UTC' where id = ?`, [bookingId]);
    await suite.rows(
      `insert into event (stream, seq, command_id, type, actor_id, actor_role, at, data, audience)
       select stream, max(seq) + 1, 'moved', 'booking.reminded', max(actor_id::text)::uuid, 'system', now(), '{}', '{}' from event where stream = ? group by stream`,
      [`booking/${bookingId}`],
    );
    const [after] = eventsIn(await (await fetchCalendar(url)).text());
    expect(after).toMatchObject({ uid: before!.uid, start: before!.start });
    expect(after!.sequence).toBeGreaterThan(before!.sequence);

    const second = await booked();
    expect(eventsIn(await (await fetchCalendar(url)).text())).toHaveLength(2);
    accepted(await second.winner.post(`/bookings/${second.bookingId}/cancel`));
    await untilStatus(suite, 'booking', second.bookingId, 'cancelled');
    expect(eventsIn(await (await fetchCalendar(url)).text()).map(({ uid }) => uid)).toEqual([before!.uid]);
  });

  it('given nothing has changed since, it answers 304; given a hold has run out meanwhile, it does not', async () => {
    const url = await open();
    const id = await held(60_000);
    const first = await fetchCalendar(url);
    const etag = first.headers.get('etag')!;
    expect(eventsIn(await first.text())).toMatchObject([{ status: 'TENTATIVE' }]);
    const again = await fetchCalendar(url, { 'if-none-match': etag });
    expect([again.status, await again.text()]).toEqual([304, '']);
    await suite.rows('update booking set held_until = now() where id = ?', [id]);
    const later = await fetchCalendar(url, { 'if-none-match': etag });
    expect([later.status, eventsIn(await later.text())]).toEqual([200, []]);
  });

  it('the owner sees where to go with a token, from confirmed on', async () => {
    await held(60_000);
    await booked();
    const answer = await me.get('/providers/me/calendar.ics');
    expect(answer.headers.get('content-type')).toContain('text/calendar');
    expect(eventsIn(answer.body).map(({ status, location }) => [status, location])).toEqual([
      ['CONFIRMED', '1 Main Street'],
      ['TENTATIVE', undefined],
    ]);
    expect(await suite.anonymous.get('/providers/me/calendar.ics')).toMatchObject({ status: 401 });
    expect(await (await consumer()).get('/providers/me/calendar.ics')).toMatchObject({ status: 403 });
  });

  it('another provider’s bookings are not in it', async () => {
    const other = provider;
    await booked();
    provider = await seedProvider(suite.orm);
    me = await suite.as(provider.subject, 'provider');
    expect(eventsIn(await (await fetchCalendar(await open())).text())).toEqual([]);
    expect(other.id).not.toBe(provider.id);
  });

  it('a wrong, an older or a revoked address is not found, nor that of a suspended provider', async () => {
    const [first, second] = [await open(), await open()];
    expect((await fetchCalendar(second)).status).toBe(200);
    expect(accepted(await me.get('/providers/me/calendar-feed'))).toEqual({ createdAt: expect.any(String) });
    const gone = async (url: string) => {
      const answer = await fetchCalendar(url);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json; charset=utf-8']);
      expect(await answer.json()).toMatchObject({ code: 'not_found' });
    };
    await gone(first);
    await gone(second.replace(/.\.ics$/, '!.ics'));
    await gone(second.replace(/[\w-]+\.ics$/, `${'x'.repeat(3_000)}.ics`));
    await gone(second.replace(/\.ics$/, ''));
    await suite.rows(`update user_account set status = 'suspended' where id = ?`, [provider.id]);
    await gone(second);
    await suite.rows(`update user_account set status = 'active' where id = ?`, [provider.id]);
    expect(await me.send('DELETE', '/providers/me/calendar-feed')).toMatchObject({ status: 204 });
    expect(await me.send('DELETE', '/providers/me/calendar-feed')).toMatchObject({ status: 204 });
    await gone(second);
    expect(await me.get('/providers/me/calendar-feed')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it('the token is stored nowhere, not even as an answer under a key', async () => {
    const answer = await me.post('/providers/me/calendar-feed', {}, { 'idempotency-key': randomUUID() });
    const token = /calendars\/([\w-]{43})\.ics$/.exec(answer.body.url)![1]!;
    expect(answer.status).toBe(201);
    const tables = await suite.rows<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
    );
    for (const { name } of tables)
      expect([name, await suite.rows(`select 1 from "${name}" t where t::text like ?`, [`%${token}%`])]).toEqual([name, []]);
  });

  it('whoever asks too often is refused for a while', async () => {
    const statuses = new Set<number>();
    for (let count = 0; count < 80 && !statuses.has(429); count += 1)
      statuses.add((await fetchCalendar(`${suite.url}/api/v1/calendars/none.ics`)).status);
    expect([...statuses]).toEqual([404, 429]);
  });
});
