import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { calendarImportActivities, type CalendarImportDeps, type ImportedCalendars } from '../../src/activities/calendar-import.ts';
import { loadCalendars } from '../../src/db/calendar.ts';
import { checkCalendar } from '../../src/db/slot/check.ts';
import { openOrm, sql, type Orm } from '../../src/db/orm.ts';
import { listImports, putImport, removeImport, takeImports } from '../../src/db/queries/calendar-import.ts';
import { publishedCalendars } from '../../src/integrations/calendar/fetch.ts';
import { httpGuard } from '../../src/integrations/http-guard.ts';
import { calendar, feedServer, ics, utcText, vevent, type FeedServer } from '../support/feed-server.ts';
import { eventually } from '../support/http.ts';
import { seedProvider } from '../support/seed.ts';
import { newDatabase } from '../support/suite.ts';

const hour = 3_600_000;
const quick = {
  refreshMs: 60_000,
  leaseMs: 60_000,
  firstPauseMs: 60_000,
  longestPauseMs: 60_000,
} satisfies CalendarImportDeps['calendarTiming'];
/** Tomorrow at noon UTC. */
const noon = Math.floor(Date.now() / (24 * hour)) * 24 * hour + 36 * hour;
/** The clock of the readings, set by the tests. It is ahead of the database's clock, by which a stored address is due at once. */
let now: number;
const oneHourAt = (at: number, uid = 'a') => vevent(`UID:${uid}`, `DTSTART:${utcText(at)}`, 'DURATION:PT1H');

let orm: Orm;
let drop: () => Promise<void>;
let server: FeedServer;
beforeAll(async () => {
  const database = await newDatabase();
  drop = database.drop;
  orm = await openOrm({ databaseUrl: database.url, poolMax: 10 });
  server = await feedServer();
});
afterAll(async () => {
  await server.stop();
  await orm.close(true);
  await drop();
});
beforeEach(async () => {
  now = Date.now() + hour;
  await rows('delete from calendar_import');
  server.answers = {};
  server.requests.length = 0;
});

const rows = <T>(text: string, params: unknown[] = []) => sql<T>(orm.em.fork(), text, params);
const run = (timing = quick): Promise<ImportedCalendars> => {
  const calendars = publishedCalendars(httpGuard({ allowedOrigins: [server.origin] }));
  const { importCalendars } = calendarImportActivities({ orm, calendars, calendarTiming: timing, clock: () => now });
  return new MockActivityEnvironment().run(importCalendars, {}) as Promise<ImportedCalendars>;
};
/** Moves the clock until all calendars are due. */
const wait = async () => {
  const [last] = await rows<{ at: Date }>('select max(next_try_at) as at from calendar_import');
  now = Math.max(now, new Date(last!.at).getTime());
};
const store = (providerId: string, path: string, name = 'private') =>
  putImport(orm.em.fork(), providerId, { id: randomUUID(), name, url: `${server.origin}${path}` });
const busyOf = async (providerId: string) =>
  (await rows<{ start: Date }>('select lower(during) as start from busy_block where provider_id = ? order by 1', [providerId])).map(
    ({ start }) => new Date(start).getTime(),
  );
const statusOf = async (providerId: string) => (await listImports(orm.em.fork(), providerId))[0]!;

describe('a calendar that is read', () => {
  it('closes every seat at its times, adds no buffer, and counts for no daily cap', async () => {
    const { id } = await seedProvider(orm, { capacity: 3 });
    await rows('update provider set daily_cap = 1 where id = ?', [id]);
    await rows('update provider_service set buffer_before_minutes = 15, buffer_after_minutes = 15 where provider_id = ?', [id]);
    server.answers['/a.ics'] = calendar(ics(...oneHourAt(noon)));
    await store(id, '/a.ics');
    expect(await run()).toEqual({ read: 1, unchanged: 0, failed: 0 });
    const found = await loadCalendars(orm.em.fork(), [id], 'plumbing.leak', { from: noon, to: noon + hour, now: Date.now() });
    expect(found.get(id)).toMatchObject({ busy: [{ start: noon, end: noon + hour, seat: null }], booked: [] });
    const hold = (at: number) =>
      checkCalendar(
        orm.em.fork(),
        id,
        'plumbing.leak',
        { startsAt: new Date(at).toISOString(), endsAt: new Date(at + hour).toISOString() },
        Date.now(),
      );
    await expect(hold(noon)).rejects.toMatchObject({ code: 'slot_taken' });
    await expect(hold(noon + hour)).rejects.toMatchObject({ code: 'slot_taken' }); // The new hold's own buffer before it overlaps.
    await expect(hold(noon + hour + 15 * 60_000)).resolves.toBeDefined();
  });

  it('is asked again with what its server said of it, and stays when it has not changed', async () => {
    const { id } = await seedProvider(orm);
    server.answers['/a.ics'] = (req, res) =>
      req.headers['if-none-match'] === '"v1"'
        ? void res.writeHead(304).end()
        : calendar(ics(...oneHourAt(noon)), { etag: '"v1"' })(req, res);
    await store(id, '/a.ics');
    await run();
    await wait();
    expect(await run()).toEqual({ read: 0, unchanged: 1, failed: 0 });
    expect(await busyOf(id)).toEqual([noon]);
    expect(await statusOf(id)).toMatchObject({ status: 'read', fault: null, busyTimes: 1, lastReadAt: expect.any(String) });
  });

  it('is read as a whole after a day, and when the provider has moved to another zone: what it means has changed', async () => {
    const { id } = await seedProvider(orm);
    const allDay = vevent('UID:d', `DTSTART;VALUE=DATE:${utcText(noon).slice(0, 8)}`);
    server.answers['/a.ics'] = (req, res) =>
      req.headers['if-none-match'] ? void res.writeHead(304).end() : calendar(ics(...allDay), { etag: '"v1"' })(req, res);
    await store(id, '/a.ics');
    await run();
    await rows(`update provider set zone = 'UTC' where id = ?`, [id]);
    await wait();
    expect(await run()).toMatchObject({ read: 1 });
    expect(await busyOf(id)).toEqual([noon - 12 * hour]);
    now += 23 * hour;
    expect(await run()).toMatchObject({ unchanged: 1 });
    now += 2 * hour;
    expect(await run()).toMatchObject({ read: 1 });
  });

  it('a whole new reading takes the place of the last one', async () => {
    const { id } = await seedProvider(orm);
    server.answers['/a.ics'] = calendar(ics(...oneHourAt(noon), ...oneHourAt(noon + 4 * hour, 'b')));
    await store(id, '/a.ics');
    await run();
    server.answers['/a.ics'] = calendar(ics(...oneHourAt(noon + 4 * hour, 'b'), ...oneHourAt(noon + 8 * hour, 'c')));
    await wait();
    await run();
    expect(await busyOf(id)).toEqual([noon + 4 * hour, noon + 8 * hour]);
  });

  it('two workers at once read each calendar once, and every one of many', async () => {
    const providers = await Promise.all(Array.from({ length: 6 }, () => seedProvider(orm)));
    server.answers = Object.fromEntries(providers.map(({ id }) => [`/${id}`, calendar(ics(...oneHourAt(noon)))]));
    for (const { id } of providers) await store(id, `/${id}`);
    const [one, two] = await Promise.all([run(), run()]);
    expect(one.read + two.read).toBe(6);
    expect(server.requests).toHaveLength(6);
  });

  it('given a worker that died over it, it is read when its claim has lapsed', async () => {
    const { id } = await seedProvider(orm);
    server.answers['/a.ics'] = calendar(ics(...oneHourAt(noon)));
    await store(id, '/a.ics');
    const { leaseMs } = quick;
    expect(await takeImports(orm.em.fork(), { limit: 1, leaseMs, importId: undefined, now })).toHaveLength(1);
    now += leaseMs - 1;
    expect(await run()).toMatchObject({ read: 0 });
    now += 1;
    expect(await run()).toMatchObject({ read: 1 });
  });

  it.each(['suspended', 'closed'])('nobody reads for a provider who is %s', async (status) => {
    const { id } = await seedProvider(orm);
    await store(id, '/a.ics');
    await rows('update provider set status = ? where id = ?', [status, id]);
    expect(await run()).toEqual({ read: 0, unchanged: 0, failed: 0 });
  });
});

describe('a bad calendar never empties a good one', () => {
  const good = ics(...oneHourAt(noon), ...oneHourAt(noon + 4 * hour, 'b'));
  const say =
    (status: number, headers: Record<string, string> = {}, body = ''): FeedServer['answers'][string] =>
    (_req, res) =>
      void res.writeHead(status, headers).end(body);
  it.each<[string, string, FeedServer['answers'][string]]>([
    ['404', 'refused', say(404)],
    ['403', 'refused', say(403, {}, 'no')],
    ['410', 'refused', say(410)],
    ['204', 'refused', say(204)],
    ['500', 'unreachable', say(500, { 'content-type': 'text/calendar' }, ics())],
    ['503', 'unreachable', say(503)],
    ['429', 'unreachable', say(429, { 'retry-after': '60' })],
    ['304 to nobody’s question', 'refused', say(304)],
    ['a redirect', 'redirected', say(302, { location: 'https://127.0.0.1/' })],
    ['an empty answer', 'unreadable', say(200, { 'content-type': 'text/calendar' })],
    ['a sign-in page', 'wrong_type', say(200, { 'content-type': 'text/html' }, '<html>')],
    ['a sign-in page that calls itself a calendar', 'unreadable', say(200, { 'content-type': 'text/calendar' }, '<html></html>')],
    ['half of it', 'unreadable', calendar(good.slice(0, good.length / 2))],
    [
      'half of it, cut off',
      'unreachable',
      (_req, res) => (res.writeHead(200, { 'content-length': '5000' }), res.write(good), void setTimeout(() => res.destroy(), 20)),
    ],
    ['null bytes', 'unreadable', calendar('\0'.repeat(1_000))],
    ['10 MB', 'too_large', calendar(`${ics()}${' '.repeat(10_000_000)}`)],
    ['another calendar’s damaged event', 'unreadable', calendar(good.replace(/DTSTART:\w+/, 'DTSTART:soon'))],
    ['a cut line', 'unreachable', (_req, res) => void res.destroy()],
  ])('given %s, the busy times stay and the provider sees why: %s', async (_, code, answer) => {
    const { id } = await seedProvider(orm);
    server.answers['/a.ics'] = calendar(good);
    await store(id, '/a.ics');
    await run();
    server.answers['/a.ics'] = answer;
    await wait();
    const before = await statusOf(id);
    expect(await run()).toEqual({ read: 0, unchanged: 0, failed: 1 });
    expect(await busyOf(id)).toEqual([noon, noon + 4 * hour]);
    expect(await statusOf(id)).toMatchObject({
      status: 'failing',
      fault: { code },
      failures: 1,
      lastReadAt: before.lastReadAt,
      busyTimes: 2,
    });
  });

  it('an empty but whole calendar does empty it: the provider has nothing planned any more', async () => {
    const { id } = await seedProvider(orm);
    server.answers['/a.ics'] = calendar(good);
    await store(id, '/a.ics');
    await run();
    server.answers['/a.ics'] = calendar(ics());
    await wait();
    expect(await run()).toEqual({ read: 1, unchanged: 0, failed: 0 });
    expect(await busyOf(id)).toEqual([]);
  });

  it('an address that has become unsafe since it was stored is not called', async () => {
    const { id } = await seedProvider(orm);
    await putImport(orm.em.fork(), id, { id: randomUUID(), name: 'inside', url: 'https://169.254.169.254/latest/meta-data' });
    expect(await run()).toMatchObject({ failed: 1 });
    expect(await statusOf(id)).toMatchObject({ status: 'failing', fault: { code: 'unsafe_url' } });
  });

  it('is tried again after longer and longer pauses; the provider hears of it once, and again when it fails anew', async () => {
    const { id } = await seedProvider(orm);
    const told = async () => {
      const notices = await rows<{ kind: string }>('select kind from notification where recipient_id = ?', [id]);
      const events = await rows<{ data: object }>(`select data from event where stream = ? and type = 'provider.calendar_import_failing'`, [
        `provider/${id}`,
      ]);
      return [notices.length, events.length];
    };
    const pauses: number[] = [];
    const fail = async (times: number) => {
      for (let count = 0; count < times; count += 1) {
        await wait();
        await run({ ...quick, firstPauseMs: 100_000, longestPauseMs: 1_000_000 });
        pauses.push((Date.parse((await statusOf(id)).nextTryAt) - now) / 100_000);
      }
    };
    await store(id, '/gone.ics');
    await fail(4);
    expect(await told()).toEqual([0, 0]);
    await fail(3);
    expect(await told()).toEqual([1, 1]);
    expect(pauses).toEqual([1, 2, 4, 8, 10, 10, 10]);
    server.answers['/gone.ics'] = calendar(ics());
    await wait();
    await run();
    expect(await statusOf(id)).toMatchObject({ status: 'read', failures: 0, fault: null });
    server.answers = {};
    await fail(6);
    expect(await told()).toEqual([2, 2]);
  });
});

describe('an address that is replaced or removed', () => {
  it('what was read from the old address counts until the new one was read', async () => {
    const { id } = await seedProvider(orm);
    server.answers['/old.ics'] = calendar(ics(...oneHourAt(noon)));
    await store(id, '/old.ics');
    await run();
    expect(await store(id, '/new.ics')).toMatchObject({ changed: true });
    expect(await statusOf(id)).toMatchObject({ status: 'waiting', busyTimes: 1 });
    await run();
    expect(await busyOf(id)).toEqual([noon]);
    server.answers['/new.ics'] = calendar(ics(...oneHourAt(noon + 4 * hour)));
    await wait();
    await run();
    expect(await busyOf(id)).toEqual([noon + 4 * hour]);
  });

  it.each(['replaced', 'removed'])('given an address that is %s while it is read, what comes back late is not written', async (what) => {
    const { id } = await seedProvider(orm);
    let answerOld = () => {};
    server.answers['/old.ics'] = (req, res) => void (answerOld = () => calendar(ics(...oneHourAt(noon)))(req, res));
    server.answers['/new.ics'] = calendar(ics(...oneHourAt(noon + 4 * hour)));
    await store(id, '/old.ics');
    const late = run();
    await eventually(
      async () => server.requests.length,
      (count) => count === 1,
    );
    if (what === 'removed') await removeImport(orm.em.fork(), id, 'private');
    else {
      await store(id, '/new.ics');
      await run();
    }
    answerOld();
    await late;
    expect(await busyOf(id)).toEqual(what === 'removed' ? [] : [noon + 4 * hour]);
  });

  it('a removed calendar takes its busy times along, and only its own', async () => {
    const { id } = await seedProvider(orm);
    server.answers['/a.ics'] = calendar(ics(...oneHourAt(noon)));
    server.answers['/b.ics'] = calendar(ics(...oneHourAt(noon + 4 * hour)));
    await store(id, '/a.ics', 'one');
    await store(id, '/b.ics', 'two');
    await run();
    await removeImport(orm.em.fork(), id, 'one');
    expect(await busyOf(id)).toEqual([noon + 4 * hour]);
  });
});
