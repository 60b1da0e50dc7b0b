// Timeline, rows and runs: starts what is missing, wakes what is behind, reports what disagrees. Never guesses.
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { bookingEnded, requestWorkflowId } from '../contracts/request.messages.ts';
import { catchUp, getPosition } from '../contracts/run.messages.ts';
import type { BookingOutcome } from '../domain/request.types.ts';
import type { EventBase, Recorded } from '../domain/timeline.ts';
import { sql, type Orm } from '../db/orm.ts';
import { eventsOf } from '../db/timeline.ts';
import { duplicate, streamKinds } from './streams.ts';

export interface Disagreement {
  stream: string;
  between: 'row and timeline' | 'run and timeline' | 'timeline and its noun';
  detail: string;
}

export interface ReconcileReport {
  /** Streams looked at. */
  checked: number;
  /** Runs started for open streams that had none. */
  started: string[];
  /** Runs that had not heard of their newest events, and were told. */
  caughtUp: string[];
  /** Requests that had not heard of their booking's end, and were told. */
  told: string[];
  disagreements: Disagreement[];
}

export interface ReconcileOptions {
  /** Leaves out streams whose last event is younger: their command may still be on its way. */
  quietMs: number;
  /** Streams checked in one call, newest first. */
  limit: number;
}

export type ReconcileActivities = ReturnType<typeof reconcileActivities>;

export function reconcileActivities(deps: { orm: Orm; temporal: Client }) {
  return {
    /** For the Schedule: what to do is done, what disagrees fails the activity's summary visibly. */
    reconcile: (options: ReconcileOptions): Promise<ReconcileReport> => reconcile(deps, options),
  };
}

interface StreamRow {
  stream: string;
  open: boolean;
  seq: number;
}

export async function reconcile({ orm, temporal }: { orm: Orm; temporal: Client }, { quietMs, limit }: ReconcileOptions): Promise<ReconcileReport> {
  const report: ReconcileReport = { checked: 0, started: [], caughtUp: [], told: [], disagreements: [] };
  const streams = await sql<StreamRow>(
    orm.em.fork(),
    `select o.stream, true as open, last.seq from open_stream o
     cross join lateral (select seq, at from event e where e.stream = o.stream order by seq desc limit 1) last
     where last.at <= now() - ? * interval '1 ms' order by last.at desc limit ?`,
    [quietMs, limit],
  );
  const closed = await recentlyClosed(orm, limit);
  for (const row of [...streams, ...closed]) {
    report.checked += 1;
    await checkRows(orm, row, report);
    if (row.open) await checkRun(orm, temporal, row, report);
  }
  await tellEnds(orm, temporal, report);
  return report;
}

/** Streams that ended within the last day: their rows must still say what their timelines say. */
function recentlyClosed(orm: Orm, limit: number): Promise<StreamRow[]> {
  return sql<StreamRow>(
    orm.em.fork(),
    `select e.stream, false as open, max(e.seq) as seq from event e where e.at > now() - interval '1 day'
       and not exists (select 1 from open_stream o where o.stream = e.stream) group by e.stream limit ?`,
    [limit],
  );
}

async function checkRows(orm: Orm, { stream }: StreamRow, report: ReconcileReport): Promise<void> {
  const [noun, id] = stream.split('/') as [string, string];
  const kind = streamKinds[noun];
  if (!kind) return; // rows that no workflow owns have no fold
  const em = orm.em.fork();
  const actual = await kind.actual(em, id);
  let expected: Record<string, string>;
  try {
    expected = kind.expected(await wholeTimeline(orm, stream));
  } catch (error) {
    report.disagreements.push({ stream, between: 'timeline and its noun', detail: (error as Error).message });
    return;
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    if (expected[key] === actual[key]) continue;
    // Both were read one after the other: what changed in between is no disagreement.
    const again = (await kind.actual(orm.em.fork(), id))[key];
    const then = kind.expected(await wholeTimeline(orm, stream))[key];
    if (again !== then) report.disagreements.push({ stream, between: 'row and timeline', detail: `${key}: row ${again ?? 'missing'}, timeline ${then ?? 'missing'}` });
  }
}

async function wholeTimeline(orm: Orm, stream: string) {
  const events: Recorded<EventBase>[] = [];
  for (;;) {
    const page: Recorded<EventBase>[] = await eventsOf(orm.em.fork(), stream, events.length);
    if (page.length === 0) return events;
    events.push(...page);
  }
}

async function checkRun(orm: Orm, temporal: Client, { stream, seq }: StreamRow, report: ReconcileReport): Promise<void> {
  const kind = streamKinds[stream.split('/')[0]!];
  if (!kind) return;
  const handle = temporal.workflow.getHandle(stream);
  if (!(await isRunning(temporal, stream))) {
    const [first] = await eventsOf(orm.em.fork(), stream, 0);
    await temporal.workflow.start(kind.workflowType, {
      workflowId: stream,
      taskQueue: 'proxie',
      args: [kind.inputOf(first!)],
      workflowIdReusePolicy: duplicate,
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `${kind.workflowType} rebuilt from its timeline`,
    });
    report.started.push(stream);
    return;
  }
  const position = await temporal.withDeadline(Date.now() + 5_000, () => handle.query(getPosition)).catch(() => null);
  if (position === null) {
    report.disagreements.push({ stream, between: 'run and timeline', detail: 'the run does not answer: no worker, or its workflow task fails' });
  } else if (position < seq) {
    await handle.signal(catchUp);
    report.caughtUp.push(stream);
  } else if (position > seq) {
    const [now] = await sql<{ seq: number }>(orm.em.fork(), 'select max(seq) as seq from event where stream = ?', [stream]);
    if (position > now!.seq) report.disagreements.push({ stream, between: 'run and timeline', detail: `run at ${position}, timeline at ${now!.seq}: commits were lost` });
  }
}

async function isRunning(temporal: Client, workflowId: string): Promise<boolean> {
  try {
    return (await temporal.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** A booking's end that its request never heard of: the request's run was gone at that moment. */
async function tellEnds(orm: Orm, temporal: Client, report: ReconcileReport): Promise<void> {
  const rows = await sql<{ requestId: string; bookingId: string; outcome: BookingOutcome }>(
    orm.em.fork(),
    `select r.id as "requestId", b.id as "bookingId",
       case b.status when 'completed' then 'completed' when 'released' then 'released' when 'no_show' then 'no_show' else b.status_reason end as outcome
     from request r join booking b on b.id = r.booking_id
     where r.status = 'booked' and b.status in ('completed', 'released', 'no_show', 'cancelled') and b.closed_at < now() - interval '1 second' limit 500`,
  );
  for (const { requestId, bookingId, outcome } of rows) {
    await temporal.workflow.getHandle(requestWorkflowId(requestId)).signal(bookingEnded, { bookingId, outcome });
    report.told.push(requestWorkflowId(requestId));
  }
}
