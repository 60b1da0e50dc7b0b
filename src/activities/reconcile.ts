// Checks timelines, rows and runs: starts missing runs, wakes runs that are behind, reports disagreements. Never guesses.
import { heartbeat, log } from '@temporalio/activity';
import { sql, type Orm } from '../db/orm.ts';
import { moveOldRuns, type Deps } from './rebuild.ts';
import { checkRun } from './reconcile.run.ts';
import { checkTimeline, type Disagreement } from './reconcile.timeline.ts';
import { streamKinds } from './stream-kinds.ts';

export interface ReconcileReport {
  /** Number of streams that were checked. */
  checked: number;
  /** Runs that took the place of runs of an earlier release. */
  moved: string[];
  /** Runs started because open streams had none. */
  started: string[];
  /** Streams whose run lacked their newest events, and was told to catch up. */
  caughtUp: string[];
  disagreements: Disagreement[];
  /** Streams whose check failed this time. A failed check stops no other check. */
  failed: { stream: string; error: string }[];
}

export interface ReconcileOptions {
  /** Leaves out streams whose last event is younger than this: their command may still be on its way. */
  quietMs: number;
  /** The most runs of an earlier release that are replaced; the next self-check goes on with the rest. */
  maxMoves?: number;
  /** Ended streams are checked as well, if one of this many newest events is theirs. */
  newestEvents?: number;
  /** Number of open streams per page; all pages are read. */
  pageSize?: number;
  /**
   * How long a run may take to tell its position. Longer than 10 s, because Temporal leaves a task that long with a worker that has just
   * died.
   */
  patienceMs?: number;
  /** Called after every stream. */
  onProgress?: (checked: number) => void;
}

/** The result of a self-check in its history: counts, and as many details as a person reads. */
export interface ReconcileSummary {
  checked: number;
  moved: number;
  started: number;
  caughtUp: number;
  disagreed: number;
  failed: number;
  disagreements: Disagreement[];
}

const shown = 50;

export type ReconcileActivities = ReturnType<typeof reconcileActivities>;

export function reconcileActivities(deps: Deps) {
  return {
    /** For the Schedule. Every disagreement is logged as an error as well, up to `shown`. */
    async reconcile({ quietMs }: { quietMs: number }): Promise<ReconcileSummary> {
      const { checked, moved, started, caughtUp, disagreements, failed } = await reconcile(deps, { quietMs, onProgress: heartbeat });
      for (const disagreement of disagreements.slice(0, shown)) log.error('timeline, row and run disagree', { ...disagreement });
      for (const failure of failed.slice(0, shown)) log.warn('a stream could not be checked', failure);
      await forget(deps.orm);
      const counts = {
        moved: moved.length,
        started: started.length,
        caughtUp: caughtUp.length,
        disagreed: disagreements.length,
        failed: failed.length,
      };
      return { checked, ...counts, disagreements: disagreements.slice(0, shown) };
    },
  };
}

/**
 * Deletes stored answers after the published 24 h, because they hold personal data. The number per call is bounded, so that nobody waits.
 */
async function forget(orm: Orm): Promise<void> {
  await sql(orm.em.fork(), 'delete from idempotency_key where id in (select id from idempotency_key where expires_at < now() limit 10000)');
}

interface StreamRow {
  stream: string;
  open: boolean;
}

/** Streams that are checked at the same time. Few, because commands need the connection pool, too. */
const lanes = 4;
/** After this many failures in a row the cause is not a single stream: the activity fails and is tried again. */
const hopeless = 10;

/**
 * Checks every open stream, newly ended streams, and rows without an open stream. A second run changes nothing. @throws the last error,
 * after `hopeless` failures in a row
 */
export async function reconcile(deps: Deps, options: ReconcileOptions): Promise<ReconcileReport> {
  const { quietMs, maxMoves = 1_000, newestEvents = 10_000, pageSize = 500, patienceMs = 12_000, onProgress = () => undefined } = options;
  const report: ReconcileReport = { checked: 0, moved: [], started: [], caughtUp: [], disagreements: [], failed: [] };
  let inARow = 0;
  let silent = 0;

  async function check({ stream, open }: StreamRow): Promise<void> {
    try {
      const { found, sound, seq } = await checkTimeline(deps.orm, stream, open);
      report.disagreements.push(...found);
      if (open) {
        const run = await checkRun(deps, stream, { seq, patienceMs, mayStart: sound, mayAsk: silent < hopeless });
        silent = run.is === 'silent' ? silent + 1 : 0;
        if (run.is === 'started' && !report.started.includes(run.workflowId)) report.started.push(run.workflowId);
        if (run.is === 'woken') report.caughtUp.push(stream);
        if (run.detail) report.disagreements.push({ stream, between: 'run and timeline', detail: run.detail });
      }
      onProgress((report.checked += 1));
      inARow = 0;
    } catch (error) {
      report.failed.push({ stream, error: String(error) });
      if ((inARow += 1) >= hopeless) throw error;
    }
  }

  async function checkAll(rows: StreamRow[]): Promise<void> {
    const waiting = rows.values();
    const lane = async () => {
      for (const row of waiting) await check(row);
    };
    const results = await Promise.allSettled(Array.from({ length: lanes }, lane));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  report.moved = await moveOldRuns(deps, maxMoves, {
    moved: onProgress,
    failed: (stream, error) => report.failed.push({ stream, error: String(error) }),
  });
  for (let after = ''; ;) {
    const rows = await openStreams(deps.orm, { quietMs, after, pageSize });
    await checkAll(rows.filter(({ quiet }) => quiet));
    if (rows.length < pageSize) break;
    after = rows.at(-1)!.stream;
  }
  await checkAll(await newlyEnded(deps.orm, newestEvents));
  report.disagreements.push(...(await abandonedRows(deps.orm)));
  if (silent >= hopeless)
    report.disagreements.push({ stream: '*', between: 'run and timeline', detail: 'no run answers: is a worker running?' });
  return report;
}

/** One page of open streams, by name. A stream without any event counts as quiet. */
function openStreams(orm: Orm, { quietMs, after, pageSize }: { quietMs: number; after: string; pageSize: number }) {
  return sql<StreamRow & { quiet: boolean }>(
    orm.em.fork(),
    `select o.stream, true as open, coalesce(last.at <= now() - ? * interval '1 ms', true) as quiet from open_stream o
     left join lateral (select at from event e where e.stream = o.stream order by seq desc limit 1) last on true
     where o.stream > ? order by o.stream limit ?`,
    [quietMs, after, pageSize],
  );
}

/** Streams that ended recently: their rows must still agree with their timelines. */
function newlyEnded(orm: Orm, newestEvents: number): Promise<StreamRow[]> {
  return sql<StreamRow>(
    orm.em.fork(),
    `select distinct e.stream, false as open from (select stream from event order by position desc limit ?) e
     where not exists (select 1 from open_stream o where o.stream = e.stream)`,
    [newestEvents],
  );
}

/** Rows with an open status whose stream is over or missing. Nothing would ever move such a row. */
async function abandonedRows(orm: Orm): Promise<Disagreement[]> {
  const found: Disagreement[] = [];
  for (const [noun, { openStatuses }] of Object.entries(streamKinds)) {
    if (!openStatuses) continue;
    const rows = await sql<{ stream: string; status: string }>(
      orm.em.fork(),
      // oxlint-disable-next-line proxie/constant-sql -- one text for each noun that has a run
      `select '${noun}/' || id as stream, status from ${noun} where status in (${openStatuses.map((status) => `'${status}'`).join()})
         and not exists (select 1 from open_stream o where o.stream = '${noun}/' || id) limit 1000`,
    );
    found.push(
      ...rows.map(({ stream, status }) => ({
        stream,
        between: 'row and timeline' as const,
        detail: `row ${status}, but the stream is not open`,
      })),
    );
  }
  return found;
}
