import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, type Answer, type Caller, type Json } from '../support/http.ts';
import { accepted, invited, submitRequest, untilConfirmed } from '../support/play.ts';
import { city, seedProvider, type SeededProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

const day = 86_400_000;
let suite: Suite;
let provider: SeededProvider;
let consumer: Caller;
let owner: Caller;
let stranger: Caller;
let bookingId: string;

beforeAll(async () => {
  suite = await startSuite();
  provider = await seedProvider(suite.orm);
  [consumer, owner, stranger] = [
    await suite.as('series-consumer', 'consumer'),
    await suite.as(provider.subject, 'provider'),
    await suite.as('series-stranger', 'consumer', 'provider'),
  ];
  const requestId = await submitRequest(consumer);
  const { offerId } = await invited(suite, provider, requestId);
  accepted(await owner.post(`/offers/${offerId}/propose`));
  accepted(await consumer.post(`/offers/${offerId}/accept`));
  ({ bookingId } = await untilConfirmed(suite, requestId));
});
afterAll(() => suite.close());

/** A local date-time of the provider: the local date at `at`, with the given time of day. */
function localTime(at: number, time: string): string {
  return `${new Intl.DateTimeFormat('en-CA', { timeZone: city.zone, dateStyle: 'short' }).format(at)}T${time}`;
}
/** Gives every series its own hour of the week, so that series do not collide. Hours that a change of the clocks skips are not used. */
let used = 0;
function freeTime(): string {
  const [hour, daysAhead] = [4 + (used % 17), 2 + Math.floor(used / 17)];
  used += 1;
  return localTime(Date.now() + daysAhead * day, `${String(hour).padStart(2, '0')}:00`);
}

const create = (more: object = {}, by = consumer) =>
  by.post('/series', { bookingId, everyWeeks: 1, first: { local: freeTime(), zone: city.zone }, count: 3, ...more });
const statuses = ({ occurrences }: Json) => occurrences.map(({ status }: Json) => status).join(' ');
const until = (id: string, wanted: string) =>
  eventually(
    async () => accepted(await consumer.get(`/series/${id}`)),
    (series) => statuses(series) === wanted,
    { what: wanted },
  );
const refusal = ({ status, body }: Answer) => ({ status, code: body.code });
const links = ({ body }: Answer) => body.next.map(({ method, href }: Json) => `${method} ${href}`);

describe('a booking that repeats', () => {
  it('is proposed, agreed to once, and booked as far as it is in reach; both see every occurrence and its booking', async () => {
    const answer = await create({ count: 6 });
    expect(answer).toMatchObject({ status: 201, body: { status: 'proposed', bookingId, everyWeeks: 1, zone: city.zone } });
    const { id } = answer.body;
    expect(answer.headers.get('location')).toBe(`/api/v1/series/${id}`);
    expect(statuses(answer.body)).toBe('planned planned planned planned planned planned');
    const told = accepted(await owner.get('/me/notifications')).items;
    expect(told).toContainEqual(expect.objectContaining({ kind: 'series_proposed', about: `series/${id}` }));

    expect(accepted(await owner.post(`/series/${id}/accept`)).status).toBe('active');
    const series = await until(id, 'booked booked booked booked planned planned');
    expect(accepted(await owner.get(`/series/${id}`))).toEqual({ ...series, seq: expect.any(Number), occurrences: expect.any(Array) });
    const [first] = series.occurrences;
    const booking = accepted(await consumer.get(`/bookings/${first.booking.id}`));
    expect(booking).toMatchObject({ slot: first.slot, price: series.price, provider: { id: provider.id } });
    await eventually(
      async () => accepted(await consumer.get(`/series/${id}`)).occurrences[3].booking.status,
      (status) => status === 'confirmed',
      { what: 'the fourth booking' },
    );

    const ended = accepted(await owner.post(`/series/${id}/end`, { reason: 'I move away' }));
    expect(ended).toMatchObject({ status: 'ended', statusReason: 'ended_by_provider' });
    expect(statuses(ended)).toBe('booked booked booked booked skipped skipped');
    expect(accepted(await consumer.get(`/bookings/${first.booking.id}`)).status).toBe('confirmed');
  });

  it('given the same key again, the same series is answered and no second one is proposed', async () => {
    const body = { bookingId, everyWeeks: 2, first: { local: freeTime(), zone: city.zone }, count: 2 };
    const key = { 'idempotency-key': randomUUID() };
    const [first, second] = [await consumer.post('/series', body, key), await consumer.post('/series', body, key)];
    expect(second).toMatchObject({ status: 201, body: { id: first.body.id } });
    accepted(await owner.post(`/series/${first.body.id}/decline`));
  });

  it('weekly at 09:00 New York across the change of clocks in March keeps 09:00', async () => {
    const { sunday } = springForward();
    const monday = localTime(sunday - 6 * day, '09:00');
    const { id, occurrences } = accepted(await create({ first: { local: monday, zone: city.zone }, count: 3 }));
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: city.zone, weekday: 'short', hour: '2-digit', minute: '2-digit' });
    expect(occurrences.map(({ slot }: Json) => clock.format(new Date(slot.startsAt)))).toEqual(['Mon 09:00', 'Mon 09:00', 'Mon 09:00']);
    const [first, second] = occurrences.map(({ slot }: Json) => Date.parse(slot.startsAt));
    expect(second - first).toBe(7 * day - 3_600_000);
    accepted(await consumer.post(`/series/${id}/end`));
  });

  it('given a last day instead of a count, counts up to it', async () => {
    const first = freeTime();
    const until = new Date(Date.parse(first.slice(0, 10)) + 28 * day).toISOString().slice(0, 10);
    const { id, occurrences } = accepted(
      await create({ first: { local: first, zone: city.zone }, count: undefined, until, everyWeeks: 2 }),
    );
    expect(occurrences).toHaveLength(3);
    accepted(await consumer.post(`/series/${id}/end`));
  });
});

/** The next Sunday in March on which New York puts its clocks forward: noon of this day, and its date. */
function springForward(): { sunday: number; date: string } {
  for (let year = new Date().getUTCFullYear(); ; year += 1) {
    const first = Date.UTC(year, 2, 1, 16);
    const sunday = first + ((7 - new Date(first).getUTCDay()) % 7) * day + 7 * day;
    if (sunday - 8 * day > Date.now()) return { sunday, date: new Date(sunday).toISOString().slice(0, 10) };
  }
}

describe('a single occurrence', () => {
  it('is skipped and moved before it is booked; afterwards the answer leads to its booking, also when the series is over', async () => {
    const { id, occurrences } = accepted(await create({ count: 6 }));
    accepted(await owner.post(`/series/${id}/accept`));
    await until(id, 'booked booked booked booked planned planned');
    expect(statuses(accepted(await consumer.post(`/series/${id}/occurrences/6/skip`, { reason: 'Holidays' })))).toBe(
      'booked booked booked booked planned skipped',
    );
    const planned = occurrences[4].slot;
    const local = localTime(Date.parse(planned.startsAt) + day, '22:15');
    const moved = accepted(await consumer.post(`/series/${id}/occurrences/5/move`, { start: { local, zone: city.zone } }));
    expect(moved.occurrences[4]).toMatchObject({ n: 5, status: 'planned' });
    expect(localTime(Date.parse(moved.occurrences[4].slot.startsAt), '22:15')).toBe(local);

    const [{ booking }] = accepted(await consumer.get(`/series/${id}`)).occurrences;
    const expectLedToBooking = async () => {
      const skipping = await consumer.post(`/series/${id}/occurrences/1/skip`);
      expect(skipping).toMatchObject({ status: 409, body: { code: 'invalid_transition', currentStatus: 'booked' } });
      expect(links(skipping)).toContain(`POST /api/v1/bookings/${booking.id}/cancel`);
      const moving = await consumer.post(`/series/${id}/occurrences/1/move`, { start: { local, zone: city.zone } });
      expect(moving).toMatchObject({ status: 409, body: { code: 'invalid_transition', currentStatus: 'booked' } });
      expect(links(moving)).toContain(`POST /api/v1/bookings/${booking.id}/reschedule`);
    };
    await expectLedToBooking();
    accepted(await consumer.post(`/series/${id}/end`));
    await suite.temporal.workflow.getHandle(`series/${id}`).result();
    await expectLedToBooking();
  });

  it('given it is moved out of order, to another length, into a gap or too often, it is refused', async () => {
    const { id, occurrences } = accepted(await create({ count: 6 }));
    accepted(await owner.post(`/series/${id}/accept`));
    await until(id, 'booked booked booked booked planned planned');
    const move = (body: object, n = 5) => consumer.post(`/series/${id}/occurrences/${n}/move`, body);
    const { slot } = occurrences[4];
    const shifted = (ms: number, longer = 0) => ({
      slot: {
        ...slot,
        startsAt: new Date(Date.parse(slot.startsAt) + ms).toISOString(),
        endsAt: new Date(Date.parse(slot.endsAt) + ms + longer).toISOString(),
      },
    });
    expect(refusal(await move(shifted(8 * day)))).toEqual({ status: 422, code: 'validation_failed' });
    expect(refusal(await move(shifted(-30 * day)))).toEqual({ status: 422, code: 'validation_failed' });
    expect(refusal(await move(shifted(day, 3_600_000)))).toEqual({ status: 422, code: 'validation_failed' });
    expect(refusal(await move({ start: { local: `${springForward().date}T02:30`, zone: city.zone } }))).toEqual({
      status: 422,
      code: 'local_time_gap',
    });
    expect(refusal(await move(shifted(day), 9))).toEqual({ status: 404, code: 'not_found' });
    accepted(await move(shifted(day)));
    accepted(await move(shifted(2 * day)));
    const often = await move(shifted(day));
    expect(refusal(often)).toEqual({ status: 409, code: 'reschedule_limit' });
    expect(links(often)).toContain(`POST /api/v1/series/${id}/occurrences/5/skip`);
    accepted(await consumer.post(`/series/${id}/end`));
  });

  it('given its slot is taken when its time comes, it is missed and the answer names free slots near it', async () => {
    const local = freeTime();
    const one = accepted(await create({ first: { local, zone: city.zone }, count: 2 }));
    const other = accepted(await create({ first: { local, zone: city.zone }, count: 2 }));
    accepted(await owner.post(`/series/${one.id}/accept`));
    await until(one.id, 'booked booked');
    accepted(await owner.post(`/series/${other.id}/accept`));
    const missed = await until(other.id, 'missed missed');
    expect(missed.occurrences[0]).toMatchObject({ code: 'slot_taken', booking: null });
    const [free] = missed.occurrences[0].alternatives;
    accepted(await consumer.post(`/series/${other.id}/occurrences/1/move`, { slot: { ...free, zone: city.zone } }));
    await until(other.id, 'booked missed');
    accepted(await consumer.post(`/series/${other.id}/end`));
  });
});

describe('what is refused', () => {
  it.each([
    ['one occurrence', { count: 1 }],
    ['27 occurrences', { count: 27 }],
    ['every three weeks', { everyWeeks: 3 }],
    ['neither a count nor a last day', { count: undefined }],
    ['a count and a last day', { until: '2030-01-01' }],
    ['a last day that is none', { count: undefined, until: '2027-02-30' }],
    ['a first time without sense', { first: { local: 'tomorrow', zone: 'UTC' } }],
    ['a first time that has passed', { first: { local: '2020-01-01T09:00', zone: 'UTC' } }],
    ['an end in many years', { first: { local: '2099-01-01T09:00', zone: 'UTC' } }],
    ['an unknown zone', { first: { local: '2027-01-01T09:00', zone: 'Mars/Base' } }],
    ['an unknown field', { price: 1 }],
  ])('a series with %s', async (_, more) => expect(refusal(await create(more))).toEqual({ status: 422, code: 'validation_failed' }));

  it('a series with an occurrence where the clocks are put forward: it is named, and so are times that exist', async () => {
    const { sunday, date } = springForward();
    const answer = await create({ first: { local: localTime(sunday - 7 * day, '02:30'), zone: city.zone }, count: 3 });
    expect(refusal(answer)).toEqual({ status: 422, code: 'local_time_gap' });
    expect(answer.body.detail).toContain('Occurrence 2');
    expect(answer.body.fields[0].message).toContain(`choose ${date}T03:30 or ${date}T01:30`);
  });

  it('a series whose first slot the provider does not offer: free ones near it are named', async () => {
    const answer = await create({ first: { local: localTime(Date.now() + 2 * day, '10:07'), zone: city.zone } });
    expect(refusal(answer)).toEqual({ status: 422, code: 'outside_slot_rules' });
    expect(answer.body.alternatives.length).toBeGreaterThan(0);
  });

  it('a series of somebody else’s booking, of one that is not there, or that was cancelled', async () => {
    expect(refusal(await create({}, stranger))).toEqual({ status: 403, code: 'not_owner' });
    expect(refusal(await create({}, owner))).toEqual({ status: 403, code: 'forbidden_role' });
    expect(refusal(await create({ bookingId: randomUUID() }))).toEqual({ status: 404, code: 'not_found' });
    const { id } = accepted(await create({ count: 2 }));
    accepted(await owner.post(`/series/${id}/accept`));
    const { occurrences } = await until(id, 'booked booked');
    const cancelled = occurrences[0].booking.id;
    await eventually(
      async () => accepted(await consumer.get(`/bookings/${cancelled}`)).status,
      (status) => status === 'confirmed',
    );
    accepted(await owner.post(`/bookings/${cancelled}/cancel`));
    expect(refusal(await create({ bookingId: cancelled }))).toEqual({ status: 409, code: 'invalid_transition' });
  });

  it('to strangers: everything, and nothing of it stands in their list; to the wrong side: its commands', async () => {
    const { id } = accepted(await create());
    const path = `/series/${id}`;
    const local = freeTime();
    const commands = ['accept', 'decline', 'end', 'occurrences/1/skip'];
    for (const foreign of [
      stranger.get(path),
      stranger.get(`${path}/timeline`),
      ...commands.map((command) => stranger.post(`${path}/${command}`)),
    ])
      expect(refusal(await foreign)).toEqual({ status: 403, code: 'not_owner' });
    const start = { start: { local, zone: city.zone } };
    expect(refusal(await stranger.post(`${path}/occurrences/1/move`, start))).toEqual({ status: 403, code: 'not_owner' });
    expect(accepted(await stranger.get('/series')).items).toEqual([]);
    expect(refusal(await consumer.post(`${path}/accept`))).toEqual({ status: 403, code: 'forbidden_role' });
    expect(refusal(await consumer.post(`${path}/decline`))).toEqual({ status: 403, code: 'forbidden_role' });
    expect(refusal(await owner.post(`${path}/occurrences/1/skip`))).toEqual({ status: 403, code: 'forbidden_role' });
    expect(refusal(await owner.post(`${path}/occurrences/1/move`, start))).toEqual({ status: 403, code: 'forbidden_role' });
    const declining = await owner.post(`${path}/end`);
    expect(refusal(declining)).toEqual({ status: 409, code: 'invalid_transition' });
    expect(links(declining)).toEqual(expect.arrayContaining([`POST /api/v1${path}/accept`, `POST /api/v1${path}/decline`]));
    accepted(await owner.post(`${path}/decline`));
    const late = await owner.post(`${path}/accept`);
    expect(late).toMatchObject({ status: 409, body: { code: 'invalid_transition', currentStatus: 'declined' } });
  });

  it('ids that are none, or that nobody has', async () => {
    expect(refusal(await consumer.get(`/series/${randomUUID()}`))).toEqual({ status: 404, code: 'not_found' });
    expect((await consumer.get('/series/nothing')).status).toBe(422);
    expect((await consumer.post(`/series/${randomUUID()}/occurrences/0/skip`)).status).toBe(422);
  });
});

describe('lists and timelines', () => {
  it('pages through the series of either side, by status too, and tells what happened without the policy', async () => {
    const { id } = accepted(await create());
    const pages: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { items, nextCursor }: Json = accepted(await owner.get(`/series?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`));
      pages.push(...items.map((item: Json) => item.id));
      cursor = nextCursor;
    }
    expect(pages[0]).toBe(id);
    expect(new Set(pages).size).toBe(pages.length);
    expect(accepted(await consumer.get('/series?limit=100')).items.map((item: Json) => item.id)).toEqual(pages);
    expect(accepted(await consumer.get('/series?status=proposed')).items.map((item: Json) => item.id)).toEqual([id]);
    accepted(await owner.post(`/series/${id}/decline`, { reason: 'No time' }));
    const { items } = accepted(await consumer.get(`/series/${id}/timeline`));
    expect(items.map(({ type }: Json) => type)).toEqual(['series.proposed', 'series.declined']);
    expect(JSON.stringify(items)).not.toMatch(/policy|No time/);
    const [, declined] = accepted(await owner.get(`/series/${id}/timeline`)).items;
    expect(declined).toMatchObject({ by: 'provider', reason: 'No time' });
  });
});
