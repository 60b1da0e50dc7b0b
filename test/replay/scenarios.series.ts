// A booking that repeats: every way its commands can differ. Workflows know instants only, so nobody waits for weeks.
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { bookingUpdates, bookingWorkflowId } from '../../src/contracts/booking.messages.ts';
import { untilStatus } from '../support/play.ts';
import { activeSeries, propose, takeSlot } from '../support/series.ts';
import type { Recording, Stage } from './scenarios.ts';

const hour = 3_600_000;
const nextHour = Math.ceil(Date.now() / hour) * hour;
const inHours = (...hours: number[]) => hours.map((count) => nextHour + count * hour);

const recording = (name: string, { workflowId }: { workflowId: string }): Recording => ({ name: `series.${name}`, workflowId });

export const repeated: readonly ((stage: Stage) => Promise<Recording[]>)[] = [finished, changed, unanswered];

/** Both occurrences are booked; the first of their bookings is cancelled, the second is carried out. */
async function finished({ suite }: Stage): Promise<Recording[]> {
  const series = await activeSeries(suite, inHours(30, 60), { checkInEarlyMs: 90 * 24 * hour, reviewRemindMs: 1, reviewPublishMs: 1 });
  await series.run.result();
  const [cancelled, completed] = (await series.bookings()).map(({ id }) => id) as [string, string];
  for (const id of [cancelled, completed]) await untilStatus(suite, 'booking', id, 'confirmed');
  const [off, done] = [cancelled, completed].map((id) => suite.temporal.workflow.getHandle(bookingWorkflowId(id))) as [
    WorkflowHandle,
    WorkflowHandle,
  ];
  const by = { id: series.consumer, role: 'consumer' as const };
  await off.executeUpdate(bookingUpdates.cancelBooking, { args: [{ id: randomUUID(), by, fee: 0 }] });
  const provider = { id: series.provider, role: 'provider' as const };
  await done.executeUpdate(bookingUpdates.checkIn, { args: [{ id: randomUUID(), by: provider }] });
  await done.executeUpdate(bookingUpdates.completeBooking, { args: [{ id: randomUUID(), by: provider }] });
  return [
    recording('finished', series),
    { name: 'booking.of-a-series', workflowId: off.workflowId },
    { name: 'booking.of-a-series-completed', workflowId: done.workflowId },
  ];
}

/** Booked, missed and moved (not where somebody else is), not open yet; then the provider ends it. Another one is skipped. */
async function changed({ suite }: Stage): Promise<Recording[]> {
  const [first, second, third, far] = inHours(2, 26, 50, 400) as [number, number, number, number];
  const series = await propose(suite, [first, second, third, far]);
  await suite.rows('update provider set horizon_days = 7 where id = ?', [series.provider]);
  await takeSlot(suite, series, second);
  await series.accept();
  await series.until('booked missed booked planned');
  await series.move(2, second).catch(() => undefined);
  await takeSlot(suite, series, second + 2 * hour);
  await series.move(2, second + 2 * hour).catch(() => undefined);
  await series.move(2, second + 4 * hour);
  await series.until('booked booked booked planned');
  await series.end('provider');
  const skipping = await activeSeries(suite, inHours(2, 26), { seriesHorizonMs: 4 * hour });
  await skipping.until('booked planned');
  await skipping.skip(2);
  return [recording('ended', series), recording('skipped', skipping)];
}

/** A no, and no answer. */
async function unanswered({ suite }: Stage): Promise<Recording[]> {
  const declined = await propose(suite, inHours(2, 26));
  await declined.decline();
  const expired = await propose(suite, inHours(2, 26), { rescheduleAnswerMs: 500 });
  return [recording('declined', declined), recording('expired', expired)];
}
