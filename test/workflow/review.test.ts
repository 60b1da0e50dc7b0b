import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { bookingUpdates, bookingWorkflowId, paymentEvent } from '../../src/contracts/booking.messages.ts';
import { fromFailure } from '../../src/contracts/failures.ts';
import { optOut, reviewUpdates, reviewWorkflowId } from '../../src/contracts/review.messages.ts';
import { getPosition } from '../../src/contracts/run.messages.ts';
import type { BookingHeld } from '../../src/domain/booking/types.ts';
import { defaultPolicy, type Policy } from '../../src/domain/policy.ts';
import { hold, run } from '../support/held.ts';
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

/** A booking that is held and that the run of its request has confirmed; its job may begin at once. */
async function booked(policy: Partial<Policy> = {}) {
  const [consumer, requestId, bookingId] = [randomUUID(), randomUUID(), randomUUID()];
  const provider = (await seedProvider(suite.orm)).id;
  await suite.rows('insert into user_account (id, issuer, subject) values (?, ?, ?)', [consumer, 'test', consumer]);
  const startsAt = new Date(Math.ceil((Date.now() + hour) / hour) * hour);
  const held: BookingHeld = {
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
  const by = { id: provider, role: 'provider' as const };
  await hold(suite, held, { at: new Date().toISOString() });
  const request = await run(suite, requestId);
  await eventually(
    () => suite.rows<{ status: string }>('select status from booking where id = ?', [bookingId]),
    ([row]) => row?.status === 'confirmed',
  );
  return { requestId, bookingId, consumer, provider, request, by };
}

/** The reviews of a booking that was just completed. */
async function completed(policy: Partial<Policy> = {}) {
  const job = await booked(policy);
  const { bookingId, request, by } = job;
  await request.executeUpdate(bookingUpdates.checkIn, { args: [{ id: 'check-in', by, bookingId }] });
  await request.executeUpdate(bookingUpdates.completeBooking, { args: [{ id: 'complete', by, bookingId }] });
  return reviewsOf(job);
}

function reviewsOf(job: Awaited<ReturnType<typeof booked>>) {
  const { bookingId, provider, request } = job;
  async function write(author: string, rating: number, text = 'kept out of the history', reviewId: string = randomUUID()) {
    await suite.rows('insert into review_draft (id, booking_id, author_id, text) values (?, ?, ?, ?) on conflict do nothing', [
      reviewId,
      bookingId,
      author,
      text,
    ]);
    const role = author === provider ? ('provider' as const) : ('consumer' as const);
    return request.executeUpdate(reviewUpdates.submitReview, {
      args: [{ id: reviewId, by: { id: author, role }, bookingId, reviewId, rating }],
      updateId: reviewId,
    });
  }
  return {
    ...job,
    write,
    /** Waits for the end of the run, which comes when the reviews are closed. @returns the number of published reviews */
    published: async () => {
      expect(await request.result()).toEqual({ outcome: 'completed' });
      return (await suite.rows("select 1 from review where booking_id = ? and status = 'published'", [bookingId])).length;
    },
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
  };
}

describe('a completed booking', () => {
  it('asks both sides for a review, and its run stays within its budget', async () => {
    const { request, told, consumer, provider } = await completed();
    expect([await told(consumer), await told(provider)]).toEqual([['review_requested'], ['review_requested']]);
    expect((await request.fetchHistory()).events!.length).toBeLessThanOrEqual(32);
    await request.terminate('enough');
  });

  it('given both write, both reviews are published at once and the provider’s rating follows', async () => {
    const { write, request, published, rating, rows, types, consumer, provider } = await completed();
    await write(consumer, 4);
    expect(await rating()).toEqual({ sum: 0, count: 0 });
    await write(provider, 5);
    expect(await published()).toBe(2);
    expect(await rating()).toEqual({ sum: 4, count: 1 });
    expect(await rows()).toEqual([
      { author_role: 'consumer', rating: 4, status: 'published', text: 'kept out of the history' },
      { author_role: 'provider', rating: 5, status: 'published', text: 'kept out of the history' },
    ]);
    expect(await types()).toEqual(['opened', 'submitted', 'submitted', 'published', 'closed']);
    expect(await suite.rows('select 1 from review_draft')).toEqual([]);
    const { text, events } = await readableHistory(request);
    expect(text).toContain(consumer); // Proves that the search finds text in payloads.
    expect(text).not.toContain('kept out of the history');
    expect(events).toBeLessThanOrEqual(44);
  });

  it('given one side writes twice, the second is refused, also from two windows at once', async () => {
    const { write, request, consumer } = await completed();
    const results = await Promise.allSettled([write(consumer, 1), write(consumer, 5), write(consumer, 3)]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) if (result.status === 'rejected') refused('already_reviewed')(result.reason);
    await request.terminate('enough');
  });

  it('given a text that was never stored, nothing is written', async () => {
    const { bookingId, request, consumer, types } = await completed();
    const command = { id: 'x', by: { id: consumer, role: 'consumer' as const }, bookingId, reviewId: randomUUID(), rating: 5 };
    await request.executeUpdate(reviewUpdates.submitReview, { args: [command] }).then(() => expect(true).toBe(false), refused('not_found'));
    expect(await types()).toEqual(['opened']);
    await request.terminate('enough');
  });
});

describe('the clock of reviews', () => {
  it('given one side is silent, it is reminded and the other’s review is published in the end', async () => {
    const { write, published, rating, types, told, consumer, provider } = await completed({
      reviewRemindMs: 3_000,
      reviewPublishMs: 3_500,
    });
    await write(consumer, 5);
    expect(await published()).toBe(1);
    expect(await types()).toEqual(['opened', 'submitted', 'reminded', 'published', 'closed']);
    expect(await rating()).toEqual({ sum: 5, count: 1 });
    expect(await told(provider)).toEqual(['review_requested', 'review_waiting', 'review_reminder', 'review_published']);
    expect(await told(consumer)).toEqual(['review_requested', 'review_published']);
  });

  it('given nobody writes, it ends and nothing is published', async () => {
    const { published, types } = await completed({ reviewRemindMs: 50, reviewPublishMs: 100 });
    expect(await published()).toBe(0);
    expect(await types()).toEqual(['opened', 'reminded', 'closed']);
  });

  it('given a side does not want to be asked, nobody waits for it; a stranger’s signal is only written down', async () => {
    const { bookingId, request, write, published, types, consumer, provider } = await completed();
    await request.signal(optOut, { bookingId, userId: randomUUID(), eventId: 'stranger' });
    await request.signal(optOut, { bookingId, userId: provider, eventId: 'real' });
    await eventually(types, (all) => all.includes('opted_out') && all.includes('command.refused'));
    await write(consumer, 2);
    expect(await published()).toBe(1);
    const all = await types();
    expect(all.filter((type) => type === 'command.refused')).toHaveLength(1);
    expect(all.filter((type) => type !== 'command.refused')).toEqual(['opened', 'opted_out', 'submitted', 'published', 'closed']);
  });
});

describe('a long run', () => {
  /**
   * Makes the history longer than a run may have, until another run has taken its place. Every Signal is an event; these are about no booking
   * of the run, so they change nothing.
   */
  async function growOld({ request }: { request: WorkflowHandle }): Promise<void> {
    const firstRun = (await request.describe()).runId;
    const grown = async () => {
      const fact = { bookingId: randomUUID(), eventId: 'another', kind: 'captured', attempt: 1, ref: 'pi_1' } as const;
      await Promise.all(Array.from({ length: 250 }, () => request.signal(paymentEvent, fact)));
      // A run continues when nothing is under way.
      return eventually(
        () => request.describe(),
        ({ raw }) => !raw.pendingWorkflowTask,
        { what: 'a quiet run' },
      );
    };
    await eventually(grown, ({ runId }) => runId !== firstRun, { what: 'the run that continues' });
  }

  it('continues as a new one while booked and while reviewed, knows all its streams and loses no timer', async () => {
    const job = await booked({ reviewRemindMs: 10_000, reviewPublishMs: 60_000 });
    const { bookingId, consumer, provider, by } = job;
    await growOld(job);
    await job.request.executeUpdate(bookingUpdates.checkIn, { args: [{ id: 'check-in', by, bookingId }] });
    await job.request.executeUpdate(bookingUpdates.completeBooking, { args: [{ id: 'complete', by, bookingId }] });
    const { write, published, types } = reviewsOf(job);
    await write(consumer, 4);
    await growOld(job);
    const known = await job.request.query(getPosition, reviewWorkflowId(bookingId));
    expect(known).toBeGreaterThanOrEqual(2);
    await eventually(types, (all) => all.includes('reminded'), { what: 'the reminder' });
    await write(provider, 5);
    expect(await published()).toBe(2);
    expect(await types()).toEqual(['opened', 'submitted', 'reminded', 'submitted', 'published', 'closed']);
  });
});

describe('repair', () => {
  it('given the run is lost after the completion, the one built again asks nobody twice and publishes the reviews', async () => {
    const { requestId, request, write, published, rating, types, told, consumer, provider } = await completed();
    await write(consumer, 3);
    await request.terminate('lost');
    await run(suite, requestId);
    await write(provider, 5);
    expect(await published()).toBe(2);
    expect(await rating()).toEqual({ sum: 3, count: 1 });
    expect(await types()).toEqual(['opened', 'submitted', 'submitted', 'published', 'closed']);
    expect(await told(provider)).toEqual(['review_requested', 'review_waiting', 'review_published']);
  });

  it('given runs of an earlier release still hold the booking and its reviews, they end and the run of the request takes over', async () => {
    const { requestId, bookingId, request, write, published, types, consumer, provider } = await completed();
    await request.terminate('this release has not begun yet');
    const old = await Promise.all(
      [
        { workflowId: bookingWorkflowId(bookingId), type: 'bookingWorkflow' },
        { workflowId: reviewWorkflowId(bookingId), type: 'reviewWorkflow' },
      ].map(({ workflowId, type }) =>
        suite.temporal.workflow.start(type, { workflowId, taskQueue: 'of-an-earlier-release', args: [{ bookingId }] }),
      ),
    );
    await run(suite, requestId);
    for (const one of old) expect((await one.describe()).status.name).toBe('TERMINATED');
    await Promise.all([write(consumer, 4), write(provider, 5)]);
    expect(await published()).toBe(2);
    expect(await types()).toEqual(['opened', 'submitted', 'submitted', 'published', 'closed']);
  });
});
