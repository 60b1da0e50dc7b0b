import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { openOrm, sql, type Orm } from '../../src/db/orm.ts';
import { answerOf, append, eventsOf } from '../../src/db/timeline.ts';
import { defaultPolicy } from '../../src/domain/policy.ts';
import type { RequestTimelineEvent } from '../../src/domain/request/types.ts';
import { invitation, readyDraft } from '../support/timeline.ts';
import { seedProvider } from '../support/seed.ts';
import { newDatabase } from '../support/suite.ts';

let orm: Orm;
let drop: () => Promise<void>;
const consumerId = randomUUID();
const by = { id: consumerId, role: 'consumer' as const };
const at = new Date().toISOString();

beforeAll(async () => {
  const database = await newDatabase();
  drop = database.drop;
  orm = await openOrm({ databaseUrl: database.url, poolMax: 20 });
  await sql(orm.em.fork(), "insert into user_account (id, issuer, subject) values (?, 't', 't')", [consumerId]);
});
afterAll(async () => {
  await orm.close(true);
  await drop();
});

const opened = (requestId: string): RequestTimelineEvent => ({
  type: 'request.opened',
  requestId,
  consumerId,
  mode: 'compare',
  catalogueVersion: 1,
  policy: defaultPolicy,
  audience: [consumerId],
});
const write = (stream: string, after: number, id: string, events: RequestTimelineEvent[]) =>
  append<RequestTimelineEvent>(orm, { stream, after, command: { id, by }, at, events });
const newRequest = async () => {
  const requestId = randomUUID();
  const stream = `request/${requestId}`;
  await write(stream, 0, 'open', [opened(requestId)]);
  return { requestId, stream };
};
const edited = (draft = readyDraft): RequestTimelineEvent => ({ type: 'request.edited', draft, mode: 'compare' });
const submitted: RequestTimelineEvent = { type: 'request.submitted', draftHash: 'hash-1', urgency: 'urgent' };

describe('append', () => {
  it('writes events and rows together', async () => {
    const { requestId, stream } = await newRequest();
    expect(await write(stream, 1, 'edit', [edited(), submitted])).toEqual({ is: 'written' });
    const [row] = await sql<{ status: string; service_code: string }>(
      orm.em.fork(),
      'select status, service_code from request where id = ?',
      [requestId],
    );
    expect(row).toEqual({ status: 'matching', service_code: 'plumbing.leak' });
    expect(await sql(orm.em.fork(), 'select 1 from open_stream where stream = ?', [stream])).toHaveLength(1);
  });

  it('fault 1, 5: run twice, it has one effect and tells what stands', async () => {
    const { stream } = await newRequest();
    await write(stream, 1, 'edit', [edited()]);
    const again = await write(stream, 1, 'edit', [edited()]);
    expect(again).toMatchObject({ is: 'behind', streams: [{ stream, events: [{ type: 'request.edited', seq: 2, commandId: 'edit' }] }] });
    expect(await eventsOf(orm.em.fork(), stream, 0)).toHaveLength(2);
  });

  it('fault 69: given a longer timeline, it writes nothing and returns what the caller does not know', async () => {
    const { stream } = await newRequest();
    await write(stream, 1, 'edit', [edited(), submitted]);
    const late = await write(stream, 1, 'cancel', [{ type: 'request.cancelled', code: 'consumer' }]);
    expect(late).toMatchObject({
      is: 'behind',
      streams: [
        {
          stream,
          events: [
            { type: 'request.edited', seq: 2 },
            { type: 'request.submitted', seq: 3 },
          ],
        },
      ],
    });
    expect(await eventsOf(orm.em.fork(), stream, 3)).toEqual([]);
  });

  it('a command that stands further back is answered from the timeline', async () => {
    const { stream } = await newRequest();
    await write(stream, 1, 'edit', [edited()]);
    await write(stream, 2, 'edit-2', [edited()]);
    expect(await write(stream, 3, 'edit', [edited()])).toMatchObject({ is: 'replayed', events: [{ seq: 2 }] });
    expect(await answerOf(orm, stream, 'edit')).toMatchObject({ seq: 2 });
    expect(await answerOf(orm, stream, 'never')).toBeUndefined();
  });

  it('a gap is never written over', async () => {
    const { stream } = await newRequest();
    expect(await write(stream, 7, 'edit', [edited()])).toMatchObject({ is: 'refused', code: 'timeline_behind' });
    expect(await eventsOf(orm.em.fork(), stream, 1)).toEqual([]);
  });

  it('a row that disagrees with its timeline refuses the move, and the transaction is gone', async () => {
    const { requestId, stream } = await newRequest();
    await sql(orm.em.fork(), "update request set status = 'cancelled' where id = ?", [requestId]);
    expect(await write(stream, 1, 'edit', [edited(), submitted])).toMatchObject({ is: 'refused', code: 'row_disagrees' });
    expect(await eventsOf(orm.em.fork(), stream, 1)).toEqual([]);
  });

  it('64 racers for one position: one writes, all others are told its event', async () => {
    const { stream } = await newRequest();
    const answers = await Promise.all(Array.from({ length: 64 }, (_, n) => write(stream, 1, `edit-${n}`, [edited()])));
    expect(answers.filter(({ is }) => is === 'written')).toHaveLength(1);
    for (const answer of answers)
      if (answer.is !== 'written') expect(answer).toMatchObject({ is: 'behind', streams: [{ events: [{ seq: 2 }] }] });
  });

  describe('of several streams', () => {
    const writeBoth = (one: string, other: string, id: string, after = 1) =>
      append<RequestTimelineEvent>(orm, {
        stream: one,
        after,
        command: { id, by },
        at,
        events: [edited()],
        also: [{ stream: other, after: 1, events: [edited(), submitted] }],
      });
    const lengthOf = async (stream: string) => (await eventsOf(orm.em.fork(), stream, 0)).length;

    it('is one transaction: each event has its place on its own timeline, and run twice it has one effect', async () => {
      const [one, other] = [await newRequest(), await newRequest()];
      expect(await writeBoth(one.stream, other.stream, 'both')).toEqual({ is: 'written' });
      expect([await lengthOf(one.stream), await lengthOf(other.stream)]).toEqual([2, 3]);
      const again = await writeBoth(one.stream, other.stream, 'both');
      expect(again).toMatchObject({
        is: 'behind',
        streams: [
          { stream: one.stream, events: [{ seq: 2, commandId: 'both' }] },
          { stream: other.stream, events: [{ seq: 2 }, { seq: 3 }] },
        ],
      });
      expect([await lengthOf(one.stream), await lengthOf(other.stream)]).toEqual([2, 3]);
    });

    it.each([
      ['first', 'second'],
      ['second', 'first'],
    ] as const)('given the %s is longer than the caller knows, nothing is written to the %s either', async (longer, otherwise) => {
      const streams = { first: (await newRequest()).stream, second: (await newRequest()).stream };
      await write(streams[longer], 1, 'earlier', [edited()]);
      const late = await writeBoth(streams.first, streams.second, 'both');
      expect(late).toEqual({
        is: 'behind',
        streams: [{ stream: streams[longer], events: [expect.objectContaining({ commandId: 'earlier' })] }],
      });
      expect(await lengthOf(streams[otherwise])).toBe(1);
    });

    it('given a row of the second that disagrees, or a gap in it, nothing is written to the first', async () => {
      const [one, other] = [await newRequest(), await newRequest()];
      await sql(orm.em.fork(), "update request set status = 'cancelled' where id = ?", [other.requestId]);
      expect(await writeBoth(one.stream, other.stream, 'both')).toMatchObject({ is: 'refused', code: 'row_disagrees' });
      expect(await writeBoth(one.stream, `request/${randomUUID()}`, 'gap')).toMatchObject({ is: 'refused', code: 'timeline_behind' });
      expect([await lengthOf(one.stream), await lengthOf(other.stream)]).toEqual([1, 1]);
    });

    it('64 racers for the same two, named in either order: one writes both, all others are told, nobody waits for ever', async () => {
      const [one, other] = [(await newRequest()).stream, (await newRequest()).stream];
      const answers = await Promise.all(
        Array.from({ length: 64 }, (_, n) => (n % 2 ? writeBoth(one, other, `both-${n}`) : writeBoth(other, one, `both-${n}`))),
      );
      expect(answers.filter(({ is }) => is === 'written')).toHaveLength(1);
      expect(answers.filter(({ is }) => is === 'behind')).toHaveLength(63);
      expect((await lengthOf(one)) + (await lengthOf(other))).toBe(5);
    });
  });
});

describe('holding a slot', () => {
  async function offered(
    providerId: string,
  ): Promise<{ stream: string; requestId: string; offerId: string; terms: ReturnType<typeof invitation> }> {
    const { requestId, stream } = await newRequest();
    const startsAt = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 3_600_000);
    const terms = {
      ...invitation(0),
      offerId: randomUUID(),
      providerId,
      zone: 'America/New_York',
      startsAt: startsAt.toISOString(),
      endsAt: new Date(startsAt.getTime() + 3_600_000).toISOString(),
    };
    await write(stream, 1, 'edit', [edited(), submitted]);
    const window = { remindAt: at, closesAt: terms.endsAt };
    await write(stream, 3, 'round', [
      { type: 'round.opened', round: 1, radiusKm: 10, invited: 1, ...window },
      { type: 'offer.invited', requestId, round: 1, expiresAt: window.closesAt, ...terms },
    ]);
    await write(stream, 5, 'propose', [{ type: 'offer.proposed', version: 1, ...terms }]);
    return { stream, requestId, offerId: terms.offerId, terms };
  }

  const accept = ({ stream, requestId, offerId, terms }: Awaited<ReturnType<typeof offered>>, bookingId = randomUUID()) =>
    write(stream, 6, `accept-${offerId}`, [
      { type: 'offer.accepted', offerId, bookingId, providerId: terms.providerId },
      {
        type: 'booking.held',
        stream: `booking/${bookingId}`,
        bookingId,
        requestId,
        offerId,
        consumerId,
        providerId: terms.providerId,
        service: 'plumbing.leak',
        price: terms.price,
        currency: terms.currency,
        startsAt: terms.startsAt,
        endsAt: terms.endsAt,
        zone: terms.zone,
        heldUntil: new Date(Date.now() + 60_000).toISOString(),
        policy: defaultPolicy,
      },
    ]);

  it('fault 8: 40 acceptances of one slot at once: one booking, the others refused as taken, no database error', async () => {
    const provider = await seedProvider(orm);
    const offers = await Promise.all(Array.from({ length: 40 }, () => offered(provider.id)));
    const answers = await Promise.all(offers.map((offer) => accept(offer)));
    expect(answers.filter(({ is }) => is === 'written')).toHaveLength(1);
    expect(answers.filter((answer) => answer.is === 'refused' && answer.code === 'slot_taken')).toHaveLength(39);
    expect(await sql(orm.em.fork(), 'select 1 from booking where provider_id = ?', [provider.id])).toHaveLength(1);
  });

  it('a provider with two seats takes two of them', async () => {
    const provider = await seedProvider(orm, { capacity: 2 });
    const offers = await Promise.all(Array.from({ length: 8 }, () => offered(provider.id)));
    const answers = await Promise.all(offers.map((offer) => accept(offer)));
    expect(answers.filter(({ is }) => is === 'written')).toHaveLength(2);
    const seats = await sql<{ seat: number }>(orm.em.fork(), 'select seat from booking where provider_id = ? order by seat', [provider.id]);
    expect(seats.map(({ seat }) => seat)).toEqual([0, 1]);
  });

  it('the database itself refuses two bookings of one seat at one time', async () => {
    const provider = await seedProvider(orm);
    await accept(await offered(provider.id));
    const copy = sql(
      orm.em.fork(),
      `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, during, occupied, zone, price, currency, policy, held_until)
       select gen_random_uuid(), request_id, offer_id, consumer_id, provider_id, service_code, during, occupied, zone, price, currency, policy, held_until
       from booking where provider_id = ?`,
      [provider.id],
    );
    await expect(copy).rejects.toMatchObject({ code: '23P01' });
  });

  it('a status outside the machine is refused by the database', async () => {
    const { requestId } = await newRequest();
    await expect(sql(orm.em.fork(), "update request set status = 'lost' where id = ?", [requestId])).rejects.toMatchObject({
      code: '23514',
    });
  });
});
