import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ensureSchedules } from '../../src/temporal/schedules.ts';
import { calendar, feedServer, ics, utcText, vevent, type FeedServer } from '../support/feed-server.ts';
import { eventually, type Caller, type Json } from '../support/http.ts';
import { accepted, invited, submitRequest, untilConfirmed } from '../support/play.ts';
import { seedPlace, seedProvider, type SeededProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

const hour = 3_600_000;
let suite: Suite;
let server: FeedServer;
let provider: SeededProvider;
let me: Caller;

beforeAll(async () => {
  server = await feedServer();
  suite = await startSuite({ env: { OUTBOUND_ALLOWED_ORIGINS: server.origin } });
  await seedPlace(suite.orm);
});
afterAll(async () => {
  await suite.close();
  await server.stop();
});
beforeEach(async () => {
  // The request of each test matches only the provider of this test.
  await suite.rows(`update provider set status = 'closed'`);
  provider = await seedProvider(suite.orm);
  me = await suite.as(provider.subject, 'provider');
  server.answers = {};
  server.requests.length = 0;
});

const consumer = () => suite.as(`consumer-${randomUUID()}`, 'consumer');

describe('a calendar of the provider’s own', () => {
  const put = (name: string, url: unknown, headers: Record<string, string> = {}) =>
    me.send('PUT', `/providers/me/calendar-imports/${name}`, { url }, headers);
  const imports = async (): Promise<Json[]> => accepted(await me.get('/providers/me/calendar-imports')).items;
  const untilRead = (status = 'read') =>
    eventually(imports, (items) => items.length > 0 && items.every((item) => item.status === status), { what: `status ${status}` });
  /** Start instants of the listed slots within some hours. */
  const slots = async (from: number, hours: number): Promise<string[]> => {
    const query = `service=plumbing.leak&from=${new Date(from).toISOString()}&to=${new Date(from + hours * hour).toISOString()}`;
    return accepted(await suite.anonymous.get(`/providers/${provider.id}/slots?${query}`)).items.map(({ startsAt }: Json) => startsAt);
  };
  const nextNoon = Math.floor(Date.now() / (24 * hour)) * 24 * hour + 36 * hour;
  const appointment = ics(...vevent('UID:dentist', `DTSTART:${utcText(nextNoon)}`, 'DURATION:PT2H', 'SUMMARY:Dentist'));

  it('is read within seconds after its address was stored, and its times are no slots any more', async () => {
    server.answers['/secret-key/basic.ics'] = calendar(appointment);
    expect(await slots(nextNoon, 1)).not.toEqual([]);
    const stored = await put('private', `${server.origin}/secret-key/basic.ics`);
    expect(stored).toMatchObject({
      status: 200,
      body: { name: 'private', host: new URL(server.origin).host, status: 'waiting', failures: 0 },
    });
    expect(await untilRead()).toMatchObject([{ fault: null, busyTimes: 1, lastReadAt: expect.any(String), nextTryAt: expect.any(String) }]);
    expect(await slots(nextNoon, 2)).toEqual([]);
    expect((await slots(nextNoon + 2 * hour, 1))[0]).toBe(new Date(nextNoon + 2 * hour).toISOString());
    expect(JSON.stringify(await imports())).not.toContain('secret-key');
  });

  it('given an appointment that came between an offer and its acceptance, the slot is refused as taken; a booking there is stays', async () => {
    const first = await submitRequest(await consumer(), { mode: 'instant' });
    const instant = await invited(suite, provider, first);
    accepted(await instant.caller.post(`/offers/${instant.offerId}/accept`));
    const { bookingId } = await untilConfirmed(suite, first);
    const asks = await consumer();
    const requestId = await submitRequest(asks);
    const { caller, offerId } = await invited(suite, provider, requestId);
    accepted(await caller.post(`/offers/${offerId}/propose`));
    server.answers['/all.ics'] = calendar(ics(...vevent('UID:all', `DTSTART:${utcText(Date.now() - hour)}`, 'DURATION:P3D')));
    await put('private', `${server.origin}/all.ics`);
    await untilRead();
    expect(await asks.post(`/offers/${offerId}/accept`)).toMatchObject({ status: 409, body: { code: 'slot_taken' } });
    expect(accepted(await me.get(`/bookings/${bookingId}`))).toMatchObject({ status: 'confirmed' });
  });

  it('stored again it is read again at once; replaced or removed its times go with it', async () => {
    server.answers['/a.ics'] = calendar(appointment);
    await put('private', `${server.origin}/a.ics`);
    await untilRead();
    server.answers['/a.ics'] = calendar(ics());
    await put('private', `${server.origin}/a.ics`);
    await eventually(imports, ([item]) => item.busyTimes === 0);
    server.answers['/a.ics'] = calendar(appointment);
    await put('private', `${server.origin}/a.ics`);
    await eventually(imports, ([item]) => item.busyTimes === 1);
    expect(await me.send('DELETE', '/providers/me/calendar-imports/private')).toMatchObject({ status: 204 });
    expect(await me.send('DELETE', '/providers/me/calendar-imports/private')).toMatchObject({ status: 204 });
    expect(await imports()).toEqual([]);
    expect(await slots(nextNoon, 1)).not.toEqual([]);
  });

  it('the address of another kind of calendar app means the same', async () => {
    const answer = await put('phone', 'webcal://127.0.0.1/x.ics');
    expect(answer.body).toMatchObject({ code: 'unsafe_url', detail: 'This address may not be fetched.' });
  });

  it.each([
    ['https://127.0.0.1/a.ics'],
    ['https://[::ffff:169.254.169.254]/'],
    ['https://2130706433/'],
    ['http://93.184.216.34/a.ics'],
    ['https://93.184.216.34:8443/a.ics'],
    ['https://me:secret@93.184.216.34/a.ics'],
    ['file:///etc/passwd'],
    ['not an address'],
  ])('fault 50: %s is refused before it is stored, naming the field', async (url) => {
    expect(await put('private', url)).toMatchObject({
      status: 422,
      body: { code: 'unsafe_url', fields: [{ field: '/url', message: expect.any(String) }], next: [{ action: 'change' }] },
    });
    expect(await imports()).toEqual([]);
  });

  it('a name, a number of calendars or a caller that is not allowed is refused', async () => {
    server.answers['/a.ics'] = calendar(ics());
    const url = `${server.origin}/a.ics`;
    for (const name of ['No', 'a_b', '-a', 'x'.repeat(33), '%20'])
      expect(await put(name, url)).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
    for (const wrong of [undefined, 7, '', 'x'.repeat(3_000)])
      expect(await put('a', wrong)).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
    for (const name of ['1', '2', '3', '4', '5']) accepted(await put(name, url));
    expect(await put('6', url)).toMatchObject({ status: 422, body: { code: 'validation_failed', fields: [{ field: '/name' }] } });
    accepted(await put('5', url));
    const path = '/providers/me/calendar-imports/1';
    expect(await suite.anonymous.send('PUT', path, { url })).toMatchObject({ status: 401 });
    expect(await (await consumer()).send('PUT', path, { url })).toMatchObject({ status: 403, body: { code: 'forbidden_role' } });
    const nobodyYet = await suite.as(`new-${randomUUID()}`, 'provider');
    expect(await nobodyYet.send('PUT', path, { url })).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await nobodyYet.post('/providers/me/calendar-feed')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await nobodyYet.send('DELETE', path)).toMatchObject({ status: 404 });
  });

  it('what happens to it stands on the provider’s timeline, without an address', async () => {
    server.answers['/secret-key.ics'] = calendar(ics());
    await put('private', `${server.origin}/secret-key.ics`);
    await put('private', `${server.origin}/secret-key.ics`);
    accepted(await me.post('/providers/me/calendar-feed'));
    await me.send('DELETE', '/providers/me/calendar-imports/private');
    const events = await suite.rows<{ type: string; data: object }>('select type, data from event where stream = ? order by seq', [
      `provider/${provider.id}`,
    ]);
    expect(events.map(({ type }) => type)).toEqual([
      'provider.calendar_import_changed',
      'provider.calendar_feed_opened',
      'provider.calendar_import_removed',
    ]);
    expect(JSON.stringify(events)).not.toContain('secret-key');
  });
});

describe('the Schedule', () => {
  it('reads what is due, and is made again when it is missing', async () => {
    const handle = suite.temporal.schedule.getHandle('proxie-calendar-import');
    await ensureSchedules(suite.temporal, { starting: true });
    await ensureSchedules(suite.temporal, { starting: false });
    server.answers['/due.ics'] = calendar(ics());
    await suite.rows(`insert into calendar_import (id, provider_id, name, url, next_try_at) values (?, ?, 'due', ?, now())`, [
      randomUUID(),
      provider.id,
      `${server.origin}/due.ics`,
    ]);
    await handle.trigger();
    await eventually(
      () => suite.rows('select 1 from calendar_import where provider_id = ? and last_read_at is not null', [provider.id]),
      (found) => found.length === 1,
      { what: 'the reading' },
    );
    await handle.delete();
    await ensureSchedules(suite.temporal, { starting: false });
    expect((await handle.describe()).action).toMatchObject({ type: 'startWorkflow', workflowType: 'calendarImportWorkflow' });
  });

  it('given no worker, the address is stored all the same and read when there is one', async () => {
    await suite.stopWorker();
    server.answers['/later.ics'] = calendar(ics());
    expect(await me.send('PUT', '/providers/me/calendar-imports/later', { url: `${server.origin}/later.ics` })).toMatchObject({
      status: 200,
    });
    expect(server.requests).toEqual([]);
    await suite.startWorker();
    await eventually(
      async () => server.requests.length,
      (count) => count === 1,
    );
  });

  it('given no Temporal, the address is stored all the same and due for the next run', async () => {
    const alone = await startSuite({ worker: false, env: { TEMPORAL_ADDRESS: '127.0.0.1:1', OUTBOUND_ALLOWED_ORIGINS: server.origin } });
    try {
      const { subject } = await seedProvider(alone.orm);
      const caller = await alone.as(subject, 'provider');
      const began = Date.now();
      const stored = await caller.send('PUT', '/providers/me/calendar-imports/later', { url: `${server.origin}/later.ics` });
      expect(stored).toMatchObject({ status: 200, body: { status: 'waiting' } });
      // The limit is two seconds plus room for a busy machine: half of a command's deadline.
      expect(Date.now() - began).toBeLessThan(30_000);
      expect(await alone.rows('select 1 from calendar_import where next_try_at <= now()')).toHaveLength(1);
    } finally {
      await alone.close();
    }
  });
});
