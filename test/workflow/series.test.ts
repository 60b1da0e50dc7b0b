import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rebuild } from '../../src/activities/rebuild.ts';
import { reconcile } from '../../src/activities/reconcile.ts';
import { bookingUpdates, bookingWorkflowId } from '../../src/contracts/booking.messages.ts';
import { fromFailure } from '../../src/contracts/failures.ts';
import { append } from '../../src/db/timeline.ts';
import type { BookingHeld } from '../../src/domain/booking/types.ts';
import type { SeriesEvent } from '../../src/domain/series/types.ts';
import type { EventBase } from '../../src/domain/timeline.ts';
import { readableHistory } from '../support/history.ts';
import { eventually } from '../support/http.ts';
import { activeSeries, heldBy, propose, takeSlot } from '../support/series.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite({ api: false });
});
afterAll(() => suite.close());

const [hour, day] = [3_600_000, 86_400_000];
const refused = (code: string) => (error: unknown) => {
  expect(fromFailure(error)?.code).toBe(code);
};
const never = () => expect('it').toBe('refused');
const nextHour = Math.ceil(Date.now() / hour) * hour;
/** On the grid of every provider's calendar. */
const inHours = (hours: number) => nextHour + hours * hour;
const iso = (at: number) => new Date(at).toISOString();

async function confirmed({ bookings }: { bookings: () => Promise<{ status: string }[]> }, count: number): Promise<void> {
  await eventually(bookings, (rows) => rows.length === count && rows.every(({ status }) => status === 'confirmed'), {
    what: `${count} bookings`,
  });
}

describe('an agreed series', () => {
  it('books what is inside the horizon at once, the next when its time comes, and nothing earlier', async () => {
    const starts = [inHours(2), inHours(26), inHours(50)];
    const series = await propose(suite, starts, { seriesHorizonMs: starts[1]! - Date.now() - 3_000 });
    const inReachAt = starts[1]! - series.terms.policy.seriesHorizonMs;
    await series.accept();
    await series.until('booked booked planned');
    await confirmed(series, 2);
    const [first, second] = await suite.rows<{ at: Date }>(
      `select at from event where stream = ? and type = 'series.occurrence_booked' order by seq`,
      [series.workflowId],
    );
    expect(new Date(second!.at).getTime()).toBeGreaterThanOrEqual(inReachAt);
    expect(new Date(first!.at).getTime()).toBeLessThan(new Date(second!.at).getTime());
    expect((await series.bookings()).map(({ start }) => Number(start))).toEqual(starts.slice(0, 2));
    expect(await series.statuses()).toBe('booked booked planned');
    const [booking] = await series.bookings();
    const described = await suite.temporal.workflow.getHandle(bookingWorkflowId(booking!.id)).describe();
    expect(described.searchAttributes).toMatchObject({ ProxieConsumer: [series.consumer], ProxieProvider: [series.provider] });
    await series.end('consumer');
  });

  it('ends after the last one, its bookings live on, and its history holds ids and codes within its budget', async () => {
    const series = await activeSeries(suite, [inHours(2), inHours(26)]);
    expect(await series.run.result()).toEqual({ status: 'ended' });
    expect(await series.types()).toEqual(['proposed', 'accepted', 'occurrence_booked', 'occurrence_booked', 'ended']);
    expect(await series.row()).toEqual({ status: 'ended', reason: 'finished' });
    expect([await series.told(series.provider), await series.told(series.consumer)]).toEqual([
      ['proposed', 'finished'],
      ['accepted', 'finished'],
    ]);
    await confirmed(series, 2);
    const { text, events } = await readableHistory(series.run);
    expect(text).toContain(series.consumer); // Proves that the search finds text in payloads.
    expect(text).not.toMatch(/@example|Provider [0-9a-f]{4}/);
    expect(events).toBeLessThanOrEqual(45);
  });

  it('given the consumer skips one, it is not booked and the provider is told', async () => {
    const starts = [inHours(2), inHours(26), inHours(50)];
    const series = await activeSeries(suite, starts, { seriesHorizonMs: 4 * hour });
    await series.until('booked planned planned');
    await series.skip(2);
    expect(await series.statuses()).toBe('booked skipped planned');
    await series.skip(3);
    expect(await series.run.result()).toEqual({ status: 'ended' });
    expect(await series.bookings()).toHaveLength(1);
    expect(await series.told(series.provider)).toEqual(['proposed', 'skipped', 'skipped', 'finished']);
  });

  it('given the consumer moves one into reach, it is booked at its new time; a taken time is refused with free ones near it', async () => {
    const starts = [inHours(2), inHours(26)];
    const series = await activeSeries(suite, starts, { seriesHorizonMs: 10 * hour });
    await series.until('booked planned');
    await takeSlot(suite, series, inHours(6));
    await series.move(2, inHours(6)).then(never, (error) => {
      refused('slot_taken')(error);
      expect(fromFailure(error)!.detail.alternatives!.length).toBeGreaterThan(0);
    });
    expect(await series.types()).not.toContain('occurrence_moved');
    await series.move(2, inHours(8));
    expect(await series.run.result()).toEqual({ status: 'ended' });
    expect((await series.bookings()).map(({ start }) => Number(start))).toEqual([starts[0], inHours(8)]);
  });

  it('given a slot is taken, that one is missed, both are told with free slots near it, and moved it is booked', async () => {
    const starts = [inHours(2), inHours(26)];
    const series = await propose(suite, starts);
    await takeSlot(suite, series, starts[1]!);
    await series.accept();
    await series.until('booked missed');
    const [, missed] = await series.occurrences();
    expect(missed).toMatchObject({ code: 'slot_taken', bookingId: null });
    expect(missed!.alternatives!.length).toBeGreaterThan(0);
    expect([await series.told(series.provider), await series.told(series.consumer)]).toEqual([
      ['proposed', 'missed'],
      ['accepted', 'missed'],
    ]);
    await series.move(2, starts[1]! + 2 * hour);
    expect(await series.run.result()).toEqual({ status: 'ended' });
    expect((await series.bookings()).map(({ start }) => Number(start))).toEqual([starts[0], starts[1]! + 2 * hour]);
  });

  it('given the provider is closed then, or has nothing to be paid with, that one is missed with its reason and the others go on', async () => {
    const starts = [inHours(2), inHours(2 + 7 * 24)];
    const closed = await propose(suite, starts);
    const dayOf = iso(starts[1]!).slice(0, 10);
    await suite.rows(
      `insert into availability_exception (id, provider_id, kind, from_date, to_date) values (gen_random_uuid(), ?, 'closed', ?::date - 1, ?::date + 1)`,
      [closed.provider, dayOf, dayOf],
    );
    await closed.accept();
    await closed.until('booked missed');
    expect((await closed.occurrences())[1]).toMatchObject({ code: 'outside_slot_rules' });

    const unpaid = await activeSeries(suite, starts, { payments: 'stripe' });
    await unpaid.until('missed missed');
    expect((await unpaid.occurrences()).map(({ code }) => code)).toEqual(['payment_method_missing', 'payment_method_missing']);
    await Promise.all([closed.end('provider'), unpaid.end('consumer')]);
  });

  it('given the provider’s licence has lapsed by then, that one is missed and is not booked', async () => {
    const starts = [inHours(2), inHours(26)];
    const series = await propose(suite, starts);
    await suite.rows('update credential set valid_until = ? where provider_id = ?', [iso(inHours(10)), series.provider]);
    await series.accept();
    await series.until('booked missed');
    expect((await series.occurrences())[1]).toMatchObject({ code: 'credential_lapsed' });
    await series.end('consumer');
  });

  it('given the provider’s calendar is not open that far ahead, it waits for the day it opens and misses nothing', async () => {
    const starts = [inHours(2), inHours(20 * 24)];
    const series = await propose(suite, starts);
    await suite.rows('update provider set horizon_days = 7 where id = ?', [series.provider]);
    await series.accept();
    await series.until('booked planned');
    const opensAt = starts[1]! - 7 * day;
    await eventually(
      async () =>
        (await series.run.fetchHistory()).events!.flatMap(({ timerStartedEventAttributes: timer }) =>
          timer ? [Number(timer.startToFireTimeout!.seconds)] : [],
        ),
      (timers) => timers.some((seconds) => Math.abs(Date.now() + seconds * 1_000 - opensAt) < 60_000),
      { what: 'a timer for that day' },
    );
    expect(await series.types()).toEqual(['proposed', 'accepted', 'occurrence_booked']);
    await series.end('provider');
  });

  it('given the provider ends it, nothing more is booked and what is booked stays', async () => {
    const starts = [inHours(2), inHours(26), inHours(50)];
    const series = await activeSeries(suite, starts, { seriesHorizonMs: 4 * hour });
    await series.until('booked planned planned');
    await confirmed(series, 1);
    await series.end('provider');
    expect(await series.run.result()).toEqual({ status: 'ended' });
    expect(await series.statuses()).toBe('booked skipped skipped');
    expect(await series.row()).toEqual({ status: 'ended', reason: 'ended_by_provider' });
    expect(await series.told(series.consumer)).toEqual(['accepted', 'ended']);
    await confirmed(series, 1);
  });

  it('given a booking of it is cancelled, it goes on, and that occurrence is not booked again', async () => {
    const starts = [inHours(30), inHours(60)];
    const series = await activeSeries(suite, starts, { seriesHorizonMs: 40 * hour });
    await series.until('booked planned');
    await confirmed(series, 1);
    const [{ id }] = (await series.bookings()) as [{ id: string; status: string; start: string }];
    const booking = suite.temporal.workflow.getHandle(bookingWorkflowId(id));
    await booking.executeUpdate(bookingUpdates.cancelBooking, {
      args: [{ id: randomUUID(), by: { id: series.consumer, role: 'consumer' }, fee: 0 }],
    });
    await booking.result();
    await series.move(2, inHours(35));
    expect(await series.run.result()).toEqual({ status: 'ended' });
    await eventually(
      series.bookings,
      (rows) =>
        rows
          .map(({ status }) => status)
          .sort()
          .join() === 'cancelled,confirmed',
    );
  });
});

describe('a proposed series', () => {
  it('given the provider says nothing, expires; given a no, it is over: nothing was booked', async () => {
    const silent = await propose(suite, [inHours(2), inHours(26)], { rescheduleAnswerMs: 500 });
    expect(await silent.run.result()).toEqual({ status: 'expired' });
    const declined = await propose(suite, [inHours(2), inHours(26)]);
    await declined.decline();
    expect(await declined.run.result()).toEqual({ status: 'declined' });
    expect([await silent.told(silent.consumer), await declined.told(declined.consumer)]).toEqual([['expired'], ['declined']]);
    expect([...(await silent.bookings()), ...(await declined.bookings())]).toEqual([]);
    expect([await silent.statuses(), await declined.statuses()]).toEqual(['skipped skipped', 'skipped skipped']);
  });

  it('given its first slot cannot be booked, it is refused and leaves neither events nor a run', async () => {
    const offGrid = inHours(2) + 60_000;
    const starting = propose(suite, [offGrid, inHours(26)]);
    await starting.then(never, refused('outside_slot_rules'));
    const [{ count }] = (await suite.rows<{ count: number }>(
      `select count(*)::int as count from event where type = 'series.proposed' and data -> 'starts' ->> 0 = ?`,
      [iso(offGrid)],
    )) as [{ count: number }];
    expect(count).toBe(0);
    const runs = async () => {
      const found = [];
      for await (const run of suite.temporal.workflow.list({ query: `WorkflowType = 'seriesWorkflow' and ExecutionStatus = 'Running'` }))
        found.push(run.workflowId);
      const open = await suite.rows<{ stream: string }>(`select stream from open_stream where stream like 'series/%'`);
      return found.filter((id) => !open.some(({ stream }) => stream === id));
    };
    await eventually(runs, (found) => found.length === 0, { what: 'no run without a stream' });
  });
});

describe('repair', () => {
  const check = () => reconcile(suite, { quietMs: 0 });
  const restart = async ({ workflowId }: { workflowId: string }) => {
    await suite.temporal.workflow.getHandle(workflowId).terminate('lost');
    await rebuild(suite, workflowId);
    return suite.temporal.workflow.getHandle(workflowId);
  };

  it('given its run is lost, the one that is built again books nothing twice and goes on where it was', async () => {
    const starts = [inHours(2), inHours(26), inHours(50)];
    const series = await activeSeries(suite, starts, { seriesHorizonMs: 30 * hour });
    await series.until('booked booked planned');
    await confirmed(series, 2);
    await suite.temporal.workflow.getHandle(series.workflowId).terminate('lost');
    const { started, disagreements } = await check();
    const own = [series.workflowId, ...(await series.bookings()).map(({ id }) => bookingWorkflowId(id))];
    expect({ started: started.filter((stream) => own.includes(stream)), disagreements }).toEqual({
      started: [series.workflowId],
      disagreements: [],
    });
    await series.move(3, inHours(29));
    expect(await series.run.result()).toEqual({ status: 'ended' });
    const bookings = await series.bookings();
    expect(bookings.map(({ start }) => Number(start))).toEqual([starts[0], starts[1], inHours(29)]);
    expect(await series.types()).toEqual([
      'proposed',
      'accepted',
      'occurrence_booked',
      'occurrence_booked',
      'occurrence_moved',
      'occurrence_booked',
      'ended',
    ]);
  });

  it('given its run was lost while the calendar was not open yet, the next one asks again at once', async () => {
    const series = await propose(suite, [inHours(2), inHours(20 * 24)]);
    await suite.rows('update provider set horizon_days = 7 where id = ?', [series.provider]);
    await series.accept();
    await series.until('booked planned');
    await confirmed(series, 1); // The run has begun: the reconciler must not find the booking without a run.
    await suite.rows('update provider set horizon_days = 60 where id = ?', [series.provider]);
    const run = await restart(series);
    expect(await run.result()).toEqual({ status: 'ended' });
    expect(await series.statuses()).toBe('booked booked');
  });

  it('given its run was lost between the booking’s first event and the booking’s run, the reconciler starts that one', async () => {
    const starts = [inHours(2), inHours(26)];
    const series = await activeSeries(suite, starts, { seriesHorizonMs: hour });
    await eventually(series.row, (row) => (row as { status: string }).status === 'active');
    await suite.temporal.workflow.getHandle(series.workflowId).terminate('lost');
    // The last event that the run wrote.
    const bookingId = randomUUID();
    const held = heldBy(series, bookingId, starts[0]!);
    const { startsAt, endsAt } = held;
    const events: (SeriesEvent | (BookingHeld & EventBase))[] = [
      { type: 'series.occurrence_booked', n: 1, bookingId, startsAt, endsAt },
      { ...held, stream: bookingWorkflowId(bookingId), seriesId: series.seriesId },
    ];
    const command = { id: 'book/1/0', by: { id: '00000000-0000-0000-0000-000000000000', role: 'system' as const } };
    expect(await append(suite.orm, { stream: series.workflowId, after: 2, command, at: iso(Date.now()), events })).toMatchObject({
      is: 'written',
    });
    const { started, disagreements } = await check();
    expect({ started: started.toSorted(), disagreements }).toEqual({
      started: [bookingWorkflowId(bookingId), series.workflowId].toSorted(),
      disagreements: [],
    });
    await confirmed(series, 1);
    await series.skip(2);
    await eventually(series.row, (row) => (row as { status: string }).status === 'ended');
    expect(await series.bookings()).toHaveLength(1);
  });

  it('given a row that was changed by hand, the check names it', async () => {
    const series = await propose(suite, [inHours(2), inHours(26)]);
    await suite.rows(`update series_occurrence set status = 'missed' where series_id = ? and n = 2`, [series.seriesId]);
    const { disagreements } = await check();
    expect(disagreements).toEqual([
      { stream: series.workflowId, between: 'row and timeline', detail: `${series.workflowId}/2: row missed , timeline planned ` },
    ]);
    await series.decline();
  });
});
