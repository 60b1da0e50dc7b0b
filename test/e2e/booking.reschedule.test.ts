import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { book, minuteMs, quarter, type Booked } from '../support/booked.ts';
import { eventually } from '../support/http.ts';
import { accepted } from '../support/play.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const refused = (status: number, code: string, more: object = {}) => ({ status, body: expect.objectContaining({ code, ...more }) });
const later = ({ startsAt }: Booked, minutes = 60) => new Date(startsAt + minutes * minuteMs).toISOString();
const propose = (booking: Booked, side: 'consumer' | 'provider', startsAt = later(booking)) =>
  booking[side].post(`${booking.path}/reschedule`, { slot: { startsAt } });
const answer = (booking: Booked, side: 'consumer' | 'provider', accept: boolean) =>
  booking[side].post(`${booking.path}/reschedule/answer`, { accept });
const slotRow = async ({ id }: Booked) =>
  (await suite.rows<{ during: string; occupied: string }>('select during::text, occupied::text from booking where id = ?', [id]))[0]!;

describe('another slot by consent', () => {
  it.each([
    ['consumer', 'provider'],
    ['provider', 'consumer'],
  ] as const)('the %s proposes, the %s agrees: the booking stays confirmed and has moved', async (proposer, other) => {
    const booking = await book(suite);
    const { slot: before } = await booking.view();
    const proposed = accepted(await propose(booking, proposer));
    expect(proposed).toMatchObject({
      status: 'confirmed',
      slot: before,
      reschedule: { by: proposer, slot: { startsAt: later(booking), endsAt: later(booking, 120), zone: before.zone } },
    });
    const moved = accepted(await answer(booking, other, true));
    expect(moved).toMatchObject({ status: 'confirmed', reschedule: null, slot: { startsAt: later(booking), endsAt: later(booking, 120) } });
    expect(await booking.types()).toEqual(['booking.held', 'booking.confirmed', 'reschedule.proposed', 'booking.rescheduled']);
    expect(await booking.told(other)).toEqual(['booking_confirmed', 'reschedule_proposed']);
    expect(await booking.told(proposer)).toEqual(['booking_confirmed', 'booking_rescheduled']);
  });

  it('the agreed slot is kept until the yes, and free for others after it', async () => {
    const booking = await book(suite);
    const before = await slotRow(booking);
    await propose(booking, 'consumer');
    expect(await slotRow(booking)).toEqual(before);
    await answer(booking, 'provider', true);
    const after = await slotRow(booking);
    expect(after.during).not.toBe(before.during);
    const { body } = await suite.anonymous.get(
      `/providers/${booking.providerId}/slots?service=plumbing.leak&from=${new Date(booking.startsAt).toISOString()}&to=${later(booking, 15)}`,
    );
    expect(body.items.map(({ startsAt }: { startsAt: string }) => Date.parse(startsAt))).toEqual([booking.startsAt]);
  });

  it('by a local time: the clock of a zone says when', async () => {
    const booking = await book(suite);
    const local = new Date(booking.startsAt + 60 * minuteMs).toISOString().slice(0, 16);
    const { reschedule } = accepted(await booking.consumer.post(`${booking.path}/reschedule`, { start: { local, zone: 'UTC' } }));
    expect(reschedule.slot).toEqual({ startsAt: later(booking), endsAt: later(booking, 120), zone: 'UTC' });
    const gap = { start: { local: '2027-03-14T02:30', zone: 'America/New_York' } };
    expect(await booking.provider.post(`${booking.path}/reschedule`, gap)).toMatchObject(refused(422, 'local_time_gap'));
    for (const body of [{}, { start: { local, zone: 'UTC' }, slot: { startsAt: later(booking) } }, { slot: { startsAt: 'soon' } }])
      expect(await booking.consumer.post(`${booking.path}/reschedule`, body)).toMatchObject(refused(422, 'validation_failed'));
  });

  it('a no keeps the agreed slot; the proposer takes a proposal back with a no of their own, and cannot say yes to it', async () => {
    const booking = await book(suite);
    await propose(booking, 'consumer');
    expect(accepted(await answer(booking, 'provider', false))).toMatchObject({
      reschedule: null,
      slot: { startsAt: new Date(booking.startsAt).toISOString() },
    });
    await propose(booking, 'provider');
    expect(await answer(booking, 'provider', true)).toMatchObject(refused(409, 'not_your_turn'));
    expect(accepted(await answer(booking, 'provider', false))).toMatchObject({ reschedule: null });
    expect((await booking.types()).slice(2)).toEqual([
      'reschedule.proposed',
      'reschedule.declined',
      'reschedule.proposed',
      'reschedule.withdrawn',
    ]);
    expect(await booking.told('consumer')).toEqual([
      'booking_confirmed',
      'reschedule_declined',
      'reschedule_proposed',
      'reschedule_withdrawn',
    ]);
  });
});

describe('what is not agreed to', () => {
  it('given a proposal that waits, another one is refused, and the way to answer it is named', async () => {
    const booking = await book(suite);
    await propose(booking, 'consumer');
    const again = await propose(booking, 'provider', later(booking, 120));
    expect(again).toMatchObject(refused(409, 'reschedule_pending', { allowed: ['answerReschedule'] }));
    expect(again.body.next).toContainEqual(
      expect.objectContaining({ method: 'POST', href: `/api/v1${booking.path}/reschedule/answer`, action: 'answerReschedule' }),
    );
  });

  it('given no proposal, there is nothing to answer', async () => {
    const booking = await book(suite);
    expect(await answer(booking, 'provider', true)).toMatchObject(refused(409, 'invalid_transition', { allowed: ['proposeReschedule'] }));
  });

  it('each side proposes as often as the policy says, and no more', async () => {
    const booking = await book(suite, { policy: { reschedulesPerParty: 1 } });
    await propose(booking, 'consumer');
    await answer(booking, 'provider', false);
    expect(await propose(booking, 'consumer')).toMatchObject(refused(409, 'reschedule_limit', { allowed: ['cancelBooking'] }));
    expect((await propose(booking, 'provider')).status).toBe(200);
  });

  it('the same slot, one in the past or one the provider does not list is refused; near ones are named', async () => {
    const booking = await book(suite);
    for (const startsAt of [new Date(booking.startsAt).toISOString(), new Date(booking.startsAt - 24 * 60 * minuteMs).toISOString()])
      expect(await propose(booking, 'consumer', startsAt)).toMatchObject(refused(422, 'validation_failed'));
    const off = await propose(booking, 'consumer', later(booking, 7));
    expect(off).toMatchObject(refused(422, 'outside_slot_rules'));
    expect(off.body.alternatives.length).toBeGreaterThan(0);
    expect(await booking.types()).toEqual(['booking.held', 'booking.confirmed']);
  });

  it('given nobody answers in time, the proposal lapses by itself and the agreed slot stays', async () => {
    const booking = await book(suite, { policy: { rescheduleAnswerMs: 700 } });
    accepted(await propose(booking, 'consumer'));
    const types = await eventually(booking.types, (all) => all.includes('reschedule.expired'), { what: 'the lapse' });
    expect(types.slice(2)).toEqual(['reschedule.proposed', 'reschedule.expired']);
    expect(await booking.view()).toMatchObject({ reschedule: null, slot: { startsAt: new Date(booking.startsAt).toISOString() } });
    expect(await booking.told('consumer')).toEqual(['booking_confirmed', 'reschedule_expired']);
    expect(await answer(booking, 'provider', true)).toMatchObject(refused(409, 'invalid_transition'));
  });

  it('given the proposed slot went to somebody else meanwhile, the yes is refused, the proposal goes and the agreed slot stays', async () => {
    const booking = await book(suite);
    const before = await slotRow(booking);
    accepted(await propose(booking, 'consumer'));
    // Another consumer books this slot.
    await suite.rows(
      `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, status, during, occupied, zone, price, currency, policy, held_until)
       select ?, request_id, offer_id, consumer_id, provider_id, service_code, 'confirmed', tstzrange(?, ?), tstzrange(?, ?), zone, price, currency, policy, held_until
       from booking where id = ?`,
      [randomUUID(), later(booking), later(booking, 60 + 60), later(booking), later(booking, 60 + 60), booking.id],
    );
    const lost = await answer(booking, 'provider', true);
    expect(lost).toMatchObject(refused(409, 'slot_taken'));
    expect(lost.body.alternatives.length).toBeGreaterThan(0);
    expect(await slotRow(booking)).toEqual(before);
    expect(await booking.view()).toMatchObject({ status: 'confirmed', reschedule: null });
    expect((await booking.types()).slice(2)).toEqual(['reschedule.proposed', 'reschedule.expired']);
  });

  it('given the job has begun or the booking is over, nothing moves any more', async () => {
    const begun = await book(suite, { startsAt: quarter(-30 * minuteMs) });
    expect(await propose(begun, 'consumer', later(begun, 120))).toMatchObject(refused(409, 'too_late'));
    accepted(await begun.consumer.post(`${begun.path}/check-in`));
    expect(await propose(begun, 'provider', later(begun, 120))).toMatchObject(refused(409, 'invalid_transition'));
  });

  it('a stranger sees nothing and proposes nothing', async () => {
    const booking = await book(suite);
    const stranger = await suite.as('stranger', 'consumer', 'provider');
    for (const path of ['reschedule', 'reschedule/answer', 'cancel', 'no-show', 'check-in', 'check-in-code', 'pay', 'contest', 'dispute']) {
      const body = { reschedule: { slot: { startsAt: later(booking) } }, 'reschedule/answer': { accept: true } }[path];
      const reasoned = ['contest', 'dispute'].includes(path) ? { reason: 'because' } : {};
      expect({ path, ...(await stranger.post(`${booking.path}/${path}`, body ?? reasoned)) }).toMatchObject({
        path,
        ...refused(403, 'not_owner'),
      });
    }
    expect(await stranger.get(`${booking.path}/cancel/preview`)).toMatchObject(refused(403, 'not_owner'));
  });
});

describe('reminders of a booking', () => {
  it('are planned outside quiet hours when it is confirmed', async () => {
    const startsAt = quarter(5 * 60 * minuteMs);
    const local = new Intl.DateTimeFormat('en-GB', { timeZone: 'America/New_York', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    const minuteOf = (at: number) =>
      local
        .format(at)
        .split(':')
        .reduce((sum, part) => sum * 60 + Number(part), 0);
    const due = startsAt - 120 * minuteMs;
    // From half an hour before the due time until half an hour after it.
    const quietHours = { fromMinute: minuteOf(due - 30 * minuteMs), toMinute: minuteOf(due + 30 * minuteMs) };
    const booking = await book(suite, { startsAt, policy: { reminderBeforeMs: [180 * minuteMs, 120 * minuteMs], quietHours } });
    const [confirmed] = await suite.rows<{ data: { remindAt: string[] } }>(
      "select data from event where stream = ? and type = 'booking.confirmed'",
      [`booking/${booking.id}`],
    );
    expect(confirmed!.data.remindAt.map((at) => Date.parse(at))).toEqual([startsAt - 180 * minuteMs, due - 30 * minuteMs]);
  });

  it('each slot has reminders of its own', async () => {
    const startsAt = quarter(60 * minuteMs);
    // The reminder is due right after the confirmation. With the later slot it is due much later.
    const booking = await book(suite, {
      startsAt,
      policy: { reminderBeforeMs: [startsAt - Date.now() - 8_000], quietHours: { fromMinute: 0, toMinute: 0 } },
    });
    await eventually(booking.types, (types) => types.includes('booking.reminded'), { what: 'the reminder' });
    await propose(booking, 'provider');
    accepted(await answer(booking, 'consumer', true));
    const [event] = await suite.rows<{ data: { remindAt: string[] } }>(
      "select data from event where stream = ? and type = 'booking.rescheduled'",
      [`booking/${booking.id}`],
    );
    expect(event!.data.remindAt).toHaveLength(1);
    expect(Date.parse(event!.data.remindAt[0]!)).toBeGreaterThan(Date.now() + 30 * minuteMs);
    expect((await booking.types()).filter((type) => type === 'booking.reminded')).toHaveLength(1);
  });
});
