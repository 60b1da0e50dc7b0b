import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bookingUpdates, bookingWorkflowId } from '../../src/contracts/booking.messages.ts';
import { fromFailure } from '../../src/contracts/failures.ts';
import { optOut, reviewUpdates, reviewWorkflowId } from '../../src/contracts/review.messages.ts';
import { append } from '../../src/db/timeline.ts';
import type { BookingHeld } from '../../src/domain/booking/types.ts';
import { defaultPolicy, type Policy } from '../../src/domain/policy.ts';
import type { EventBase } from '../../src/domain/timeline.ts';
import { readableHistory } from '../support/history.ts';
import { eventually } from '../support/http.ts';
import { seedProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite({ api: false });
});
afterAll(() => suite.close());

const refused = (code: string) => (error: unknown) => {
  expect(fromFailure(error)?.code).toBe(code);
};
const hour = 3_600_000;

/** A booking that is held and whose run has confirmed it; its job may begin at once. */
async function booked(policy: Partial<Policy> = {}) {
  const [consumer, requestId, bookingId] = [randomUUID(), randomUUID(), randomUUID()];
  const provider = (await seedProvider(suite.orm)).id;
  await suite.rows('insert into user_account (id, issuer, subject) values (?, ?, ?)', [consumer, 'test', consumer]);
  await suite.rows(`insert into request (id, consumer_id, status, catalogue_version) values (?, ?, 'booked', 1)`, [requestId, consumer]);
  const startsAt = new Date(Math.ceil((Date.now() + hour) / hour) * hour);
  const held: BookingHeld & EventBase = {
    type: 'booking.held',
    bookingId,
    requestId,
    offerId: randomUUID(),
    consumerId: consumer,
    providerId: provider,
    service: 'plumbing.leak',
    price: 15_000,
    currency: 'USD',
    startsAt: startsAt.toISOString(),
    endsAt: new Date(startsAt.getTime() + hour).toISOString(),
    zone: 'America/New_York',
    heldUntil: new Date(Date.now() + hour).toISOString(),
    policy: { ...defaultPolicy, reminderBeforeMs: [], checkInEarlyMs: 3 * hour, ...policy },
  };
  const stream = bookingWorkflowId(bookingId);
  const by = { id: provider, role: 'provider' as const };
  await append(suite.orm, { stream, after: 0, command: { id: 'hold', by }, at: new Date().toISOString(), events: [held] });
  const booking = await suite.temporal.workflow.start('bookingWorkflow', {
    workflowId: stream,
    taskQueue: 'proxie',
    args: [{ bookingId }],
  });
  await eventually(
    () => suite.rows<{ status: string }>('select status from booking where id = ?', [bookingId]),
    ([row]) => row?.status === 'confirmed',
  );
  return { bookingId, consumer, provider, booking, by };
}

/** The reviews of a booking that was just completed. */
async function completed(policy: Partial<Policy> = {}) {
  const job = await booked(policy);
  const { bookingId, consumer, provider, booking, by } = job;
  await booking.executeUpdate(bookingUpdates.checkIn, { args: [{ id: 'check-in', by }] });
  await booking.executeUpdate(bookingUpdates.completeBooking, { args: [{ id: 'complete', by }] });
  await booking.result();
  const review = suite.temporal.workflow.getHandle(reviewWorkflowId(bookingId));
  async function write(author: string, rating: number, text = 'kept out of the history', reviewId: string = randomUUID()) {
    await suite.rows('insert into review_draft (id, booking_id, author_id, text) values (?, ?, ?, ?) on conflict do nothing', [
      reviewId,
      bookingId,
      author,
      text,
    ]);
    const role = author === provider ? ('provider' as const) : ('consumer' as const);
    return review.executeUpdate(reviewUpdates.submitReview, {
      args: [{ id: reviewId, by: { id: author, role }, reviewId, rating }],
      updateId: reviewId,
    });
  }
  return {
    ...job,
    review,
    write,
    rating: async () => (await suite.rows('select rating_sum as sum, rating_count as count from provider where id = ?', [provider]))[0],
    rows: () => suite.rows('select author_role, rating, status, text from review where booking_id = ? order by author_role', [bookingId]),
    types: async () =>
      (await suite.rows<{ type: string }>('select type from event where stream = ? order by seq', [reviewWorkflowId(bookingId)])).map(
        ({ type }) => type.replace('review.', ''),
      ),
    told: async (who: string) =>
      (
        await suite.rows<{ kind: string }>(
          `select kind from notification where recipient_id = ? and kind like 'review%' order by created_at, kind`,
          [who],
        )
      ).map(({ kind }) => kind),
    consumer,
  };
}

describe('a completed booking', () => {
  it('asks both sides for a review, and its own run stays within its budget', async () => {
    const { booking, told, consumer, provider, review } = await completed();
    expect([await told(consumer), await told(provider)]).toEqual([['review_requested'], ['review_requested']]);
    expect((await booking.fetchHistory()).events!.length).toBeLessThanOrEqual(48);
    await review.terminate('enough');
  });

  it('given both write, both reviews are published at once and the provider’s rating follows', async () => {
    const { write, review, rating, rows, types, consumer, provider } = await completed();
    await write(consumer, 4);
    expect(await rating()).toEqual({ sum: 0, count: 0 });
    await write(provider, 5);
    expect(await review.result()).toEqual({ published: 2 });
    expect(await rating()).toEqual({ sum: 4, count: 1 });
    expect(await rows()).toEqual([
      { author_role: 'consumer', rating: 4, status: 'published', text: 'kept out of the history' },
      { author_role: 'provider', rating: 5, status: 'published', text: 'kept out of the history' },
    ]);
    expect(await types()).toEqual(['opened', 'submitted', 'submitted', 'published', 'closed']);
    expect(await suite.rows('select 1 from review_draft')).toEqual([]);
    const { text, events } = await readableHistory(review);
    expect(text).toContain(consumer); // Proves that the search finds text in payloads.
    expect(text).not.toContain('kept out of the history');
    expect(events).toBeLessThanOrEqual(24);
  });

  it('given one side writes twice, the second is refused, also from two windows at once', async () => {
    const { write, review, consumer } = await completed();
    const results = await Promise.allSettled([write(consumer, 1), write(consumer, 5), write(consumer, 3)]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) if (result.status === 'rejected') refused('already_reviewed')(result.reason);
    await review.terminate('enough');
  });

  it('given a text that was never stored, nothing is written', async () => {
    const { review, consumer, types } = await completed();
    const command = { id: 'x', by: { id: consumer, role: 'consumer' as const }, reviewId: randomUUID(), rating: 5 };
    await review.executeUpdate(reviewUpdates.submitReview, { args: [command] }).then(() => expect(true).toBe(false), refused('not_found'));
    expect(await types()).toEqual(['opened']);
    await review.terminate('enough');
  });
});

describe('the clock of reviews', () => {
  it('given one side is silent, it is reminded and the other’s review is published in the end', async () => {
    const { write, review, rating, types, told, consumer, provider } = await completed({ reviewRemindMs: 3_000, reviewPublishMs: 3_500 });
    await write(consumer, 5);
    expect(await review.result()).toEqual({ published: 1 });
    expect(await types()).toEqual(['opened', 'submitted', 'reminded', 'published', 'closed']);
    expect(await rating()).toEqual({ sum: 5, count: 1 });
    expect(await told(provider)).toEqual(['review_requested', 'review_waiting', 'review_reminder', 'review_published']);
    expect(await told(consumer)).toEqual(['review_requested', 'review_published']);
  });

  it('given nobody writes, it ends and nothing is published', async () => {
    const { review, types } = await completed({ reviewRemindMs: 50, reviewPublishMs: 100 });
    expect(await review.result()).toEqual({ published: 0 });
    expect(await types()).toEqual(['opened', 'reminded', 'closed']);
  });

  it('given a side does not want to be asked, nobody waits for it; a stranger’s signal is only written down', async () => {
    const { write, review, types, consumer, provider } = await completed();
    await review.signal(optOut, { userId: randomUUID(), eventId: 'stranger' });
    await review.signal(optOut, { userId: provider, eventId: 'real' });
    await eventually(types, (all) => all.includes('opted_out') && all.includes('command.refused'));
    await write(consumer, 2);
    expect(await review.result()).toEqual({ published: 1 });
    const all = await types();
    expect(all.filter((type) => type === 'command.refused')).toHaveLength(1);
    expect(all.filter((type) => type !== 'command.refused')).toEqual(['opened', 'opted_out', 'submitted', 'published', 'closed']);
  });
});

describe('repair', () => {
  it('given the run of the reviews is running already, the booking ends all the same', async () => {
    const { bookingId, booking, by } = await booked();
    await booking.executeUpdate(bookingUpdates.checkIn, { args: [{ id: 'check-in', by }] });
    await suite.stopWorker();
    const starting = suite.temporal.workflow.start('reviewWorkflow', {
      workflowId: reviewWorkflowId(bookingId),
      taskQueue: 'proxie',
      args: [{ bookingId }],
    });
    const completing = booking.executeUpdate(bookingUpdates.completeBooking, { args: [{ id: 'complete', by }] });
    await starting;
    await suite.startWorker();
    await completing;
    expect(await booking.result()).toMatchObject({ outcome: 'completed' });
    const review = suite.temporal.workflow.getHandle(reviewWorkflowId(bookingId));
    await review.terminate('enough').catch(() => {});
  });
});
