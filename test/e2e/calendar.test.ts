import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { day, minute } from '../support/calendar.ts';
import { eventually, type Answer, type Caller, type Json } from '../support/http.ts';
import { instantsOf, shownAt, transitions } from '../support/luxon-clock.ts';
import { accepted, submitRequest } from '../support/play.ts';
import { city, leakRequest, seedProvider, type SeededProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const path = '/providers/me/exceptions';
const iso = (at: number) => new Date(at).toISOString();
/** A local date of the provider, some days from now. */
const dateIn = (days: number) => shownAt(Date.now() + days * day, city.zone).slice(0, 10);

interface Own extends SeededProvider {
  provider: Caller;
  /** Public slots of the next days. */
  slots(query?: string): Promise<Answer>;
}

async function newProvider(options: Parameters<typeof seedProvider>[1] = {}): Promise<Own> {
  const seeded = await seedProvider(suite.orm, options);
  return {
    ...seeded,
    provider: await suite.as(seeded.subject, 'provider'),
    slots: (query = '') => suite.anonymous.get(`/providers/${seeded.id}/slots?service=plumbing.leak${query}`),
  };
}

const openOn = ({ provider }: Own, ...availability: { weekday: number; startMinute: number; endMinute: number }[]) =>
  provider.send('PUT', '/providers/me/availability', { availability }).then(accepted);
const week = (startMinute: number, endMinute: number) => [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, startMinute, endMinute }));
const starts = ({ body }: Answer): string[] => body.items.map((item: Json) => item.local.startsAt.slice(0, 16));

describe('slots over HTTP', () => {
  it('a date means its whole local day, and times are written in UTC and in the zone asked for', async () => {
    const own = await newProvider();
    await openOn(own, ...week(540, 660));
    const [first, last] = [dateIn(2), dateIn(3)];
    const inNewYork = await own.slots(`&from=${first}&to=${last}`);
    expect(inNewYork).toMatchObject({ status: 200, body: { zone: city.zone, providerZone: city.zone, nextCursor: null } });
    const times = ['09:00', '09:15', '09:30', '09:45', '10:00'];
    expect(starts(inNewYork)).toEqual([first, last].flatMap((date) => times.map((time) => `${date}T${time}`)));
    for (const { startsAt, endsAt, local } of inNewYork.body.items) {
      expect([Date.parse(local.startsAt), Date.parse(local.endsAt)]).toEqual([Date.parse(startsAt), Date.parse(endsAt)]);
      expect(instantsOf(local.startsAt.slice(0, 16), city.zone)).toEqual([Date.parse(startsAt)]);
    }
    // In another zone, the same day is another window and the slots have other local times.
    const kathmandu = await own.slots(`&from=${first}&to=${first}&zone=Asia/Kathmandu`);
    expect(kathmandu.body).toMatchObject({ zone: 'Asia/Kathmandu', providerZone: city.zone });
    for (const { startsAt, local } of kathmandu.body.items) {
      expect(local.startsAt).toMatch(new RegExp(`^${first}T.*\\+05:45$`));
      expect(shownAt(Date.parse(startsAt), 'Asia/Kathmandu')).toBe(local.startsAt.slice(0, 16));
    }
  });

  it('without from and to it is the week from now on', async () => {
    const own = await newProvider();
    const asked = Date.now();
    const { body } = await own.slots('&limit=1000');
    const all = body.items.map(({ startsAt }: Json) => Date.parse(startsAt));
    expect(all[0]).toBeGreaterThanOrEqual(asked);
    expect(all[0]).toBeLessThan(asked + 16 * minute);
    expect(all.at(-1)).toBeGreaterThan(asked + 7 * day - 16 * minute);
    expect(all.at(-1)).toBeLessThan(Date.now() + 7 * day);
  });

  it('pages hang together, and a cursor is worth nothing for another question', async () => {
    const own = await newProvider();
    const window = `&from=${dateIn(1)}&to=${dateIn(2)}`;
    const whole = await own.slots(`${window}&limit=1000`);
    const pages: Json[] = [];
    for (let cursor = ''; ;) {
      const { body } = await own.slots(`${window}&limit=50${cursor && `&cursor=${cursor}`}`);
      pages.push(...body.items);
      if (!body.nextCursor) break;
      cursor = body.nextCursor;
    }
    expect(pages).toEqual(whole.body.items);
    const { nextCursor } = (await own.slots(`${window}&limit=50`)).body;
    for (const other of [`&from=${dateIn(1)}&cursor=${nextCursor}`, `${window}&zone=UTC&cursor=${nextCursor}`, `${window}&cursor=forged`]) {
      expect(await own.slots(other)).toMatchObject({ status: 422, body: { code: 'validation_failed', fields: [{ field: '/cursor' }] } });
    }
  });

  it('can be asked for another length than the service usually takes', async () => {
    const own = await newProvider();
    await openOn(own, ...week(540, 660));
    expect(starts(await own.slots(`&from=${dateIn(2)}&to=${dateIn(2)}&durationMinutes=105`)).map((text) => text.slice(11))).toEqual([
      '09:00',
      '09:15',
    ]);
  });

  it.each([
    ['an unknown zone', '&zone=Mars/Olympus', '/zone'],
    ['an abbreviation in place of a zone', '&zone=PST', '/zone'],
    ['a day that does not exist', '&from=2027-02-29', '/from'],
    ['a leap second', '&from=2027-01-01T23:59:60Z', '/from'],
    ['no time at all', '&from=tomorrow', '/from'],
    ['an end before the beginning', '&from=2027-01-02&to=2027-01-01', '/to'],
    ['more than 31 days', '&from=2027-01-01&to=2027-02-01', '/to'],
    ['a length of nothing', '&durationMinutes=0', '/durationMinutes'],
    ['an unknown parameter', '&until=2027-01-01', '/until'],
  ])('fault 13: given %s, the answer is 422 and names it', async (_what, query, field) => {
    const own = await newProvider();
    expect(await own.slots(query)).toMatchObject({ status: 422, body: { code: 'validation_failed', fields: [{ field }] } });
  });

  it.each(['&from=9999-12-31', '&from=9999-12-31T23:59:59-12:00', '&from=0001-01-01&to=0001-01-02', '&from=2020-01-01&to=2020-01-31'])(
    'fault 13: given %s, which nobody can book, the list is empty',
    async (query) => {
      const own = await newProvider();
      expect(await own.slots(query)).toMatchObject({ status: 200, body: { items: [], nextCursor: null } });
    },
  );

  it('31 local days may be asked for also where the clocks are put back in between', async () => {
    const own = await newProvider();
    expect((await own.slots('&from=2027-10-20&to=2027-11-19')).status).toBe(200);
  });

  it('the next slot is the first of the list, searched to the horizon', async () => {
    const own = await newProvider();
    const next = (query = '') => suite.anonymous.get(`/providers/${own.id}/slots/next?service=plumbing.leak${query}`);
    const first = (await own.slots('&limit=1')).body.items[0];
    expect((await next()).body).toMatchObject({ slot: first, zone: city.zone });
    expect((await next(`&after=${dateIn(40)}&zone=Europe/Berlin`)).body).toMatchObject({
      slot: { startsAt: iso(instantsOf(`${dateIn(40)}T00:00`, 'Europe/Berlin')[0]!) },
      zone: 'Europe/Berlin',
      providerZone: city.zone,
    });
    // The calendar is closed until one day before the horizon.
    accepted(await own.provider.post(path, { kind: 'closed', fromDate: dateIn(0), toDate: dateIn(58) }));
    expect((await next()).body.slot.local.startsAt).toMatch(new RegExp(`^${dateIn(59)}T00:00`));
    accepted(await own.provider.post(path, { kind: 'closed', fromDate: dateIn(59), toDate: dateIn(61) }));
    const none = await next();
    expect(none).toMatchObject({ status: 200, body: { slot: null } });
    expect(Math.abs(Date.parse(none.body.searchedUntil) - Date.now() - 60 * day)).toBeLessThan(60_000);
  });

  it('who cannot be booked has no slots: unknown, paused, another service', async () => {
    const own = await newProvider();
    const ask = (id: string, service: string) => suite.anonymous.get(`/providers/${id}/slots?service=${service}`);
    expect(await ask(randomUUID(), 'plumbing.leak')).toMatchObject({ status: 404 });
    expect(await ask(own.id, 'photo.portrait')).toMatchObject({ status: 404 });
    expect(await ask(own.id, 'plumbing.leak')).toMatchObject({ status: 200 });
    accepted(await own.provider.patch('/providers/me', { status: 'paused' }));
    expect(await ask(own.id, 'plumbing.leak')).toMatchObject({ status: 404 });
    expect(await suite.anonymous.get(`/providers/${own.id}/slots/next?service=plumbing.leak`)).toMatchObject({ status: 404 });
  });
});

describe('dated exceptions', () => {
  it('are made, read, changed and removed, and the slots follow', async () => {
    const own = await newProvider();
    const { provider } = own;
    await openOn(own, ...week(540, 660));
    const date = dateIn(3);
    const onThatDay = async () => starts(await own.slots(`&from=${date}&to=${date}`)).map((text) => text.slice(11));
    const made = await provider.post(path, { kind: 'closed', fromDate: date, reason: 'Dentist' });
    expect(made).toMatchObject({
      status: 201,
      body: { kind: 'closed', fromDate: date, toDate: date, startMinute: null, endMinute: null, reason: 'Dentist', bookings: [] },
    });
    expect(await onThatDay()).toEqual([]);
    const { id, links } = made.body;
    expect(links.self).toBe(`/api/v1${path}/${id}`);
    const changed = await provider.send('PUT', `${path}/${id}`, { kind: 'extra', fromDate: date, startMinute: 1200, endMinute: 1275 });
    expect(changed).toMatchObject({ status: 200, body: { id, kind: 'extra', startMinute: 1200, endMinute: 1275, reason: null } });
    expect(await onThatDay()).toEqual(['09:00', '09:15', '09:30', '09:45', '10:00', '20:00', '20:15']);
    const { bookings: _bookings, ...view } = changed.body;
    expect(await provider.get(`${path}/${id}`)).toMatchObject({ status: 200, body: view });
    expect(await provider.send('DELETE', `${path}/${id}`)).toMatchObject({ status: 204 });
    expect(await onThatDay()).toHaveLength(5);
    expect(await provider.send('DELETE', `${path}/${id}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await provider.get(`${path}/${id}`)).toMatchObject({ status: 404 });
    const events = await suite.rows<{ type: string; data: object }>('select type, data from event where stream = ? order by seq', [
      `provider/${own.id}`,
    ]);
    expect(events.map(({ type }) => type)).toEqual([
      'provider.availability_changed',
      'provider.exception_added',
      'provider.exception_changed',
      'provider.exception_removed',
    ]);
    expect(JSON.stringify(events)).not.toContain('Dentist');
  });

  it('the list is paged by date, each once, from a date on', async () => {
    const { provider } = await newProvider();
    const days = [9, 2, 5, 7, 3];
    for (const ahead of days) accepted(await provider.post(path, { kind: 'closed', fromDate: dateIn(ahead), toDate: dateIn(ahead + 1) }));
    const found: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await provider.get(`${path}?limit=2${cursor && `&cursor=${cursor}`}`);
      expect(body.seq).toBe(days.length);
      found.push(...body.items.map(({ fromDate }: Json) => fromDate));
      if (!body.nextCursor) break;
      cursor = body.nextCursor;
    }
    expect(found).toEqual(days.toSorted((a, b) => a - b).map(dateIn));
    expect((await provider.get(`${path}?from=${dateIn(6)}`)).body.items).toHaveLength(3);
    expect(await provider.get(`${path}?from=2027-02-30`)).toMatchObject({ status: 422 });
    expect(await provider.get(`${path}?cursor=forged`)).toMatchObject({ status: 422 });
  });

  it('an old version is refused, the same key adds one, and twenty at once are twenty', async () => {
    const { provider } = await newProvider();
    const body = { kind: 'closed', fromDate: dateIn(2) };
    const key = { 'idempotency-key': randomUUID() };
    const [first, second] = [await provider.post(path, body, key), await provider.post(path, body, key)];
    expect([second.status, second.body]).toEqual([201, first.body]);
    const etag = first.headers.get('etag')!;
    const { id } = first.body;
    accepted(await provider.post(path, { kind: 'closed', fromDate: dateIn(3) }, { 'if-match': etag }));
    for (const [method, at, sent] of [
      ['POST', path, body],
      ['PUT', `${path}/${id}`, body],
      ['DELETE', `${path}/${id}`, undefined],
    ] as const) {
      expect(await provider.send(method, at, sent, { 'if-match': etag })).toMatchObject({
        status: 412,
        body: { code: 'precondition_failed' },
      });
    }
    const now = (await provider.get(path)).headers.get('etag')!;
    expect((await provider.get(path, { 'if-none-match': now })).status).toBe(304);
    expect((await provider.send('DELETE', `${path}/${id}`, undefined, { 'if-match': now })).status).toBe(204);
    const many = await Promise.all(Array.from({ length: 20 }, (_, n) => provider.post(path, { kind: 'closed', fromDate: dateIn(10 + n) })));
    expect(new Set(many.map(({ status, body: { id: made } }) => `${status} ${made}`)).size).toBe(20);
    expect((await provider.get(`${path}?limit=100`)).body.items).toHaveLength(21);
  });

  it.each([
    ['no day of any calendar', { kind: 'closed', fromDate: '2027-02-29' }, '/fromDate'],
    ['an end before the beginning', { kind: 'closed', fromDate: '2027-03-02', toDate: '2027-03-01' }, '/toDate'],
    ['more than a year', { kind: 'closed', fromDate: '2027-03-02', toDate: '2028-03-03' }, '/toDate'],
    ['the past', { kind: 'closed', fromDate: '2020-03-02' }, '/toDate'],
    ['the year 9999', { kind: 'closed', fromDate: '9999-12-31' }, '/toDate'],
    ['another kind', { kind: 'holiday', fromDate: '2027-03-02' }, '/kind'],
    ['hours on a closed day', { kind: 'closed', fromDate: '2027-03-02', startMinute: 0, endMinute: 60 }, '/startMinute'],
    ['no hours', { kind: 'extra', fromDate: '2027-03-02' }, '/startMinute'],
    ['hours behind midnight', { kind: 'extra', fromDate: '2027-03-02', startMinute: 1380, endMinute: 1441 }, '/endMinute'],
    ['hours that end before they begin', { kind: 'extra', fromDate: '2027-03-02', startMinute: 60, endMinute: 30 }, '/endMinute'],
    ['hours that are open anyway', { kind: 'extra', fromDate: dateIn(100), startMinute: 600, endMinute: 700 }, '/startMinute'],
    ['a reason of 201 letters', { kind: 'closed', fromDate: '2027-03-02', reason: 'x'.repeat(201) }, '/reason'],
  ])('given %s, the answer is 422 and names it', async (_what, body, field) => {
    const { provider } = await newProvider();
    const fields = expect.arrayContaining([expect.objectContaining({ field })]);
    expect(await provider.post(path, body)).toMatchObject({ status: 422, body: { code: 'validation_failed', fields } });
    expect((await provider.get(path)).body.items).toEqual([]);
  });

  it('a closed time leaves bookings where they are and names them', async () => {
    const own = await newProvider();
    const consumer = await suite.as(`booked-${own.id}`, 'consumer');
    const { id: consumerId } = accepted(await consumer.get('/me'));
    const { id: requestId } = accepted(await consumer.post('/requests', leakRequest()));
    const book = async (local: string, status = 'confirmed') => {
      const [start] = instantsOf(local, city.zone);
      const [row] = await suite.rows<{ id: string }>(
        `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, status, during, occupied, zone, price, currency, policy, held_until)
         select gen_random_uuid(), ?, gen_random_uuid(), ?, ?, 'plumbing.leak', ?, r, r, 'UTC', 1, 'USD', '{}', now() from (select tstzrange(?, ?) as r) as range returning id`,
        [requestId, consumerId, own.id, status, iso(start!), iso(start! + 60 * minute)],
      );
      return row!.id;
    };
    const [first, last] = [dateIn(5), dateIn(7)];
    const inside = [await book(`${first}T00:00`), await book(`${last}T23:30`)];
    await book(`${dateIn(4)}T23:00`);
    await book(`${dateIn(8)}T00:30`);
    await book(`${dateIn(6)}T12:00`, 'cancelled');
    const made = accepted(await own.provider.post(path, { kind: 'closed', fromDate: first, toDate: last }));
    expect(made.bookings).toEqual(inside);
    expect(await suite.rows("select 1 from booking where provider_id = ? and status = 'confirmed'", [own.id])).toHaveLength(4);
  });

  it('somebody else’s are as good as none', async () => {
    const [one, two] = [await newProvider(), await newProvider()];
    const { body } = await one.provider.post(path, { kind: 'closed', fromDate: dateIn(2) });
    expect(await two.provider.get(`${path}/${body.id}`)).toMatchObject({ status: 404 });
    expect(await two.provider.send('PUT', `${path}/${body.id}`, { kind: 'closed', fromDate: dateIn(2) })).toMatchObject({ status: 404 });
    expect(await two.provider.send('DELETE', `${path}/${body.id}`)).toMatchObject({ status: 404 });
    const consumer = await suite.as('no-provider', 'consumer');
    expect(await consumer.get(path)).toMatchObject({ status: 403 });
    expect(await (await suite.as('not-yet', 'provider')).get(path)).toMatchObject({ status: 404 });
  });
});

describe('the limits of a calendar', () => {
  it('notice, horizon, cap, capacity and zone are changed at once, and the cap can be taken back', async () => {
    const own = await newProvider();
    await openOn(own, ...week(540, 600));
    const change = (body: object) => own.provider.patch('/providers/me', body);
    expect(await change({ minimumNoticeMinutes: 3 * 1440, horizonDays: 5, dailyCap: 2, capacity: 4 })).toMatchObject({
      status: 200,
      body: { minimumNoticeMinutes: 3 * 1440, horizonDays: 5, dailyCap: 2, capacity: 4 },
    });
    const days = starts(await own.slots()).map((text) => Date.parse(`${text}Z`));
    expect(days.length).toBeGreaterThan(0);
    for (const { startsAt } of (await own.slots()).body.items) {
      expect(Date.parse(startsAt)).toBeGreaterThan(Date.now() + 3 * day - minute);
      expect(Date.parse(startsAt)).toBeLessThan(Date.now() + 5 * day);
    }
    expect(await change({ dailyCap: null })).toMatchObject({ status: 200, body: { dailyCap: null } });
    // Opening hours are local: in another zone they mean other instants.
    expect(await change({ zone: 'Asia/Kathmandu', minimumNoticeMinutes: 0 })).toMatchObject({
      status: 200,
      body: { zone: 'Asia/Kathmandu' },
    });
    const moved = await own.slots();
    expect(moved.body.zone).toBe('Asia/Kathmandu');
    expect(new Set(starts(moved).map((text) => text.slice(11)))).toEqual(new Set(['09:00']));
  });

  it.each([
    ['zone', 'PST'],
    ['zone', 'Mars/Olympus'],
    ['zone', '+02:00'],
    ['minimumNoticeMinutes', -1],
    ['minimumNoticeMinutes', 43_201],
    ['horizonDays', 0],
    ['horizonDays', 731],
    ['dailyCap', 0],
    ['capacity', 0],
    ['capacity', 101],
  ])('%s may not be %s', async (field, value) => {
    const { provider } = await newProvider();
    expect(await provider.patch('/providers/me', { [field]: value })).toMatchObject({
      status: 422,
      body: { fields: [{ field: `/${field}` }] },
    });
  });

  it('weekly hours that overlap, or end before they begin, are refused; If-Match is honoured', async () => {
    const { provider } = await newProvider();
    const put = (availability: object[], headers = {}) => provider.send('PUT', '/providers/me/availability', { availability }, headers);
    const monday = (startMinute: number, endMinute: number) => ({ weekday: 1, startMinute, endMinute });
    expect(await put([monday(0, 60), monday(30, 90)])).toMatchObject({ status: 422, body: { fields: [{ field: '/availability/1' }] } });
    expect(await put([monday(90, 60)])).toMatchObject({ status: 422, body: { fields: [{ field: '/availability/0' }] } });
    expect(await put([monday(0, 1441)])).toMatchObject({ status: 422, body: { fields: [{ field: '/availability/0/endMinute' }] } });
    expect(await put([{ ...monday(0, 60), weekday: 8 }])).toMatchObject({
      status: 422,
      body: { fields: [{ field: '/availability/0/weekday' }] },
    });
    const etag = (await provider.get('/providers/me')).headers.get('etag')!;
    expect(await put([monday(0, 60), monday(60, 120)], { 'if-match': etag })).toMatchObject({ status: 200 });
    expect(await put([], { 'if-match': etag })).toMatchObject({ status: 412 });
  });

  it('buffers belong to a service and keep other bookings away', async () => {
    const { provider } = await newProvider();
    const terms = { price: { amount: 30_000, currency: 'USD' }, durationMinutes: 60 };
    const put = (body: object) => provider.send('PUT', '/providers/me/services/plumbing.leak', { ...terms, ...body });
    expect(await put({ bufferBeforeMinutes: 20, bufferAfterMinutes: 480 })).toMatchObject({
      status: 200,
      body: { services: [{ bufferBeforeMinutes: 20, bufferAfterMinutes: 480 }] },
    });
    expect(await put({ bufferBeforeMinutes: 481 })).toMatchObject({ status: 422, body: { fields: [{ field: '/bufferBeforeMinutes' }] } });
    expect(await put({ bufferAfterMinutes: -1 })).toMatchObject({ status: 422, body: { fields: [{ field: '/bufferAfterMinutes' }] } });
  });
});

describe('an offer’s slot by the clock', () => {
  const zone = city.zone;

  async function invitation(): Promise<Own & { consumer: Caller; offer: Json }> {
    const own = await newProvider({ service: 'photo.portrait', price: 20_000, licensedFor: null });
    accepted(await own.provider.patch('/providers/me', { horizonDays: 730 }));
    const consumer = await suite.as(`consumer-${own.id}`, 'consumer');
    const requestId = await submitRequest(consumer, { service: 'photo.portrait', details: { people: 2 } });
    const [row] = await eventually(
      () => suite.rows<{ id: string }>('select id from offer where request_id = ? and provider_id = ?', [requestId, own.id]),
      (rows) => rows.length > 0,
      { what: 'the invitation' },
    );
    return { ...own, consumer, offer: accepted(await own.provider.get(`/offers/${row!.id}`)) };
  }
  const lengthOf = ({ startsAt, endsAt }: Json) => Date.parse(endsAt) - Date.parse(startsAt);
  /** The next change of the clocks, forward or back. */
  const change = (by: 1 | -1) => {
    const offset = (at: number) => Date.parse(`${shownAt(at, zone)}Z`) - at;
    return transitions(zone, Date.now() + day, Date.now() + 400 * day).find((at) => Math.sign(offset(at) - offset(at - minute)) === by)!;
  };

  it('fault 13: a time the clocks skip is refused with the next one, which is then taken, its length kept', async () => {
    const { provider, offer } = await invitation();
    const skipped = iso(Date.parse(`${shownAt(change(1), zone)}Z`) - 30 * minute).slice(0, 16);
    const propose = (local: string) => provider.post(`/offers/${offer.id}/propose`, { start: { local, zone } });
    const refused = await propose(skipped);
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'local_time_gap', fields: [{ field: '/start/local' }], next: [{ action: 'choose' }] },
    });
    const [, suggested] = /choose (\S+)/.exec(refused.body.fields[0].message)!;
    const proposed = await propose(suggested!);
    expect(proposed).toMatchObject({
      status: 200,
      body: { status: 'proposed', slot: { startsAt: iso(instantsOf(suggested!, zone)[0]!), zone } },
    });
    expect(lengthOf(proposed.body.slot)).toBe(lengthOf(offer.slot));
  });

  it('fault 13: a time the clocks show twice is the earlier one, or the later one on request', async () => {
    const { provider, consumer, offer } = await invitation();
    const back = change(-1);
    const local = shownAt(back + 30 * minute, zone);
    const [earlier, later] = instantsOf(local, zone) as [number, number];
    expect(later - earlier).toBe(60 * minute);
    expect(await provider.post(`/offers/${offer.id}/propose`, { start: { local, zone } })).toMatchObject({
      status: 200,
      body: { slot: { startsAt: iso(earlier), zone } },
    });
    const countered = await consumer.post(`/offers/${offer.id}/counter`, { start: { local, zone, disambiguation: 'later' } });
    expect(countered).toMatchObject({ status: 200, body: { status: 'countered', slot: { startsAt: iso(later), zone } } });
    expect(lengthOf(countered.body.slot)).toBe(lengthOf(offer.slot));
  });

  it.each([
    ['a leap second', { start: { local: '2027-06-30T23:59:60', zone } }, 'validation_failed'],
    ['February 29 of another year', { start: { local: '2027-02-29T10:00', zone } }, 'validation_failed'],
    ['an offset in a local time', { start: { local: '2027-02-20T10:00Z', zone } }, 'validation_failed'],
    ['an unknown zone', { start: { local: '2027-02-20T10:00', zone: 'Mars/Olympus' } }, 'validation_failed'],
    ['the last moment of the year 9999', { start: { local: '9999-12-31T23:59', zone } }, 'validation_failed'],
    ['the year 9999', { start: { local: '9999-06-01T10:00', zone } }, 'outside_slot_rules'],
    [
      'a slot and a start',
      { slot: { startsAt: '2027-02-20T10:00:00Z', endsAt: '2027-02-20T11:00:00Z', zone }, start: { local: '2027-02-20T10:00', zone } },
      'validation_failed',
    ],
    [
      'a slot that ends before it begins',
      { slot: { startsAt: '2027-02-20T10:00:00Z', endsAt: '2027-02-20T09:00:00Z', zone } },
      'validation_failed',
    ],
    ['a slot without a length', { slot: { startsAt: '2027-02-20T10:00:00Z', endsAt: '2027-02-20T10:00:00Z', zone } }, 'validation_failed'],
    ['a slot of two days', { slot: { startsAt: '2027-02-20T10:00:00Z', endsAt: '2027-02-22T10:00:00Z', zone } }, 'outside_slot_rules'],
    [
      'a slot in the year 9999',
      { slot: { startsAt: '9999-12-31T22:00:00-10:00', endsAt: '9999-12-31T23:00:00-10:00', zone } },
      'validation_failed',
    ],
    ['a slot off the grid', { slot: { startsAt: '2027-02-20T10:07:00Z', endsAt: '2027-02-20T11:07:00Z', zone } }, 'outside_slot_rules'],
  ])('fault 13: given %s, the answer is a typed 422', async (_what, body, code) => {
    const { provider, offer } = await invitation();
    expect(await provider.post(`/offers/${offer.id}/propose`, body)).toMatchObject({ status: 422, body: { code } });
  });

  it('within the minimum notice a provider may propose, and a consumer may not ask', async () => {
    const { provider, consumer, offer } = await invitation();
    accepted(await provider.patch('/providers/me', { minimumNoticeMinutes: 2 * 1440 }));
    const start = Math.ceil((Date.now() + day) / (15 * minute)) * 15 * minute;
    const slot = (at: number) => ({ slot: { startsAt: iso(at), endsAt: iso(at + lengthOf(offer.slot)), zone } });
    expect(await provider.post(`/offers/${offer.id}/propose`, slot(start))).toMatchObject({ status: 200 });
    const refused = await consumer.post(`/offers/${offer.id}/counter`, slot(start + 15 * minute));
    expect(refused).toMatchObject({ status: 422, body: { code: 'outside_slot_rules', currentStatus: 'too_soon' } });
    expect(await consumer.post(`/offers/${offer.id}/counter`, slot(start + 2 * day))).toMatchObject({ status: 200 });
  });
});
