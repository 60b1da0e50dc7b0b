// Plays a series against its run, without the API. Workflows know instants only, so no test has to wait for weeks.
import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { bookingWorkflowId } from '../../src/contracts/booking.messages.ts';
import { runShape, searchAttributes } from '../../src/contracts/search-attributes.ts';
import { seriesUpdates, seriesWorkflowId } from '../../src/contracts/series.messages.ts';
import { append } from '../../src/db/timeline.ts';
import type { Actor } from '../../src/domain/actor.ts';
import type { BookingHeld } from '../../src/domain/booking/types.ts';
import { defaultPolicy, type Policy } from '../../src/domain/policy.ts';
import type { EventBase } from '../../src/domain/timeline.ts';
import { eventually } from './http.ts';
import { seedProvider } from './seed.ts';
import type { Suite } from './suite.ts';
import type { SeriesTerms } from '../../src/domain/series/machine.ts';

const hour = 3_600_000;
const iso = (at: number) => new Date(at).toISOString();

/** A completed booking and the terms that a series of it would repeat. */
async function template(suite: Suite, policy: Partial<Policy> = {}) {
  const [consumer, requestId, bookingId, offerId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const provider = (await seedProvider(suite.orm)).id;
  await suite.rows('insert into user_account (id, issuer, subject) values (?, ?, ?)', [consumer, 'test', consumer]);
  await suite.rows(`insert into request (id, consumer_id, status, catalogue_version) values (?, ?, 'completed', 1)`, [requestId, consumer]);
  await suite.rows(
    `insert into booking (id, request_id, offer_id, consumer_id, provider_id, service_code, status, during, occupied, zone, price, currency, policy, held_until)
     select ?, ?, ?, ?, ?, 'plumbing.leak', 'completed', slot, slot, 'America/New_York', 15000, 'USD', '{}', now()
     from tstzrange(now() - interval '3 days', now() - interval '3 days' + interval '1 hour') as slot`,
    [bookingId, requestId, offerId, consumer, provider],
  );
  const terms: Omit<SeriesTerms, 'seriesId' | 'starts'> = {
    bookingId,
    requestId,
    offerId,
    consumerId: consumer,
    providerId: provider,
    service: 'plumbing.leak',
    price: 15_000,
    currency: 'USD',
    zone: 'America/New_York',
    everyWeeks: 1,
    durationMinutes: 60,
    policy: { ...defaultPolicy, reminderBeforeMs: [], ...policy },
  };
  return { consumer, provider, terms };
}

/** A proposed series with occurrences at the given starts. */
export async function propose(suite: Suite, starts: number[], policy: Partial<Policy> = {}) {
  const { consumer, provider, terms } = await template(suite, policy);
  const [seriesId, first] = [randomUUID(), randomUUID()];
  const workflowId = seriesWorkflowId(seriesId);
  const by: Record<'consumer' | 'provider', Actor> = {
    consumer: { id: consumer, role: 'consumer' },
    provider: { id: provider, role: 'provider' },
  };
  const run = suite.temporal.workflow.getHandle(workflowId);
  const command = { id: first, by: by.consumer, terms: { ...terms, seriesId, starts: starts.map(iso) } };
  await suite.temporal.workflow.executeUpdateWithStart(seriesUpdates.proposeSeries, {
    args: [command],
    updateId: first,
    startWorkflowOperation: new WithStartWorkflowOperation('seriesWorkflow', {
      workflowId,
      taskQueue: 'proxie',
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{ seriesId }],
      typedSearchAttributes: [{ key: searchAttributes.shape, value: runShape }],
    }),
  });
  const meta = (side: 'consumer' | 'provider') => ({ id: randomUUID(), by: by[side] });
  const occurrences = () =>
    suite.rows<{ n: number; status: string; code: string | null; bookingId: string | null; alternatives: unknown[] | null }>(
      `select n, status, code, booking_id as "bookingId", alternatives from series_occurrence where series_id = ? order by n`,
      [seriesId],
    );
  const statuses = async () => (await occurrences()).map(({ status }) => status).join(' ');
  return {
    consumer,
    provider,
    seriesId,
    workflowId,
    run,
    occurrences,
    statuses,
    terms: command.terms,
    accept: () => run.executeUpdate(seriesUpdates.acceptSeries, { args: [meta('provider')] }),
    decline: () => run.executeUpdate(seriesUpdates.declineSeries, { args: [meta('provider')] }),
    end: (side: 'consumer' | 'provider') => run.executeUpdate(seriesUpdates.endSeries, { args: [meta(side)] }),
    skip: (n: number) => run.executeUpdate(seriesUpdates.skipOccurrence, { args: [{ ...meta('consumer'), n }] }),
    move: (n: number, start: number) =>
      run.executeUpdate(seriesUpdates.moveOccurrence, { args: [{ ...meta('consumer'), n, startsAt: iso(start) }] }),
    until: (wanted: string) => eventually(statuses, (found) => found === wanted, { what: wanted }),
    bookings: () =>
      suite.rows<{ id: string; status: string; start: string }>(
        `select id, status, (extract(epoch from lower(during)) * 1000)::bigint::text as start from booking where series_id = ? order by during`,
        [seriesId],
      ),
    row: async () => (await suite.rows('select status, status_reason as reason from series where id = ?', [seriesId]))[0],
    types: async () =>
      (await suite.rows<{ type: string }>('select type from event where stream = ? order by seq', [workflowId])).map(({ type }) =>
        type.replace('series.', ''),
      ),
    told: async (who: string) =>
      (
        await suite.rows<{ kind: string }>('select kind from notification where recipient_id = ? and stream = ? order by seq', [
          who,
          workflowId,
        ])
      ).map(({ kind }) => kind.replace('series_', '')),
  };
}

export async function activeSeries(suite: Suite, starts: number[], policy: Partial<Policy> = {}) {
  const series = await propose(suite, starts, policy);
  await series.accept();
  return series;
}

/** The first event of a booking with the terms of a series at a given start. */
export function heldBy({ terms }: { terms: SeriesTerms }, bookingId: string, start: number): BookingHeld & EventBase {
  const { starts: _starts, everyWeeks: _everyWeeks, durationMinutes: _durationMinutes, seriesId: _seriesId, ...agreed } = terms;
  const slot = { startsAt: iso(start), endsAt: iso(start + hour) };
  return { type: 'booking.held', ...agreed, ...slot, bookingId, heldUntil: iso(Date.now() + hour) };
}

/** Books a slot for another consumer before the series does. */
export async function takeSlot(suite: Suite, series: { terms: SeriesTerms }, start: number): Promise<void> {
  const bookingId = randomUUID();
  const command = { id: 'hold', by: { id: series.terms.providerId, role: 'provider' as const } };
  const events = [heldBy(series, bookingId, start)];
  const { is } = await append(suite.orm, { stream: bookingWorkflowId(bookingId), after: 0, command, at: iso(Date.now()), events });
  if (is !== 'written') throw new Error(`the slot was not taken: ${is}`);
}
