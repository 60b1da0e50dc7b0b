// Starts runs from their timelines, and ends the runs that stand in their place.
import { WorkflowNotFoundError, type Client, type WorkflowExecutionInfo } from '@temporalio/client';
import { bookingWorkflowId } from '../contracts/booking.messages.ts';
import { reviewWorkflowId } from '../contracts/review.messages.ts';
import { runShape, searchAttributes } from '../contracts/search-attributes.ts';
import { sql, type Db, type Orm } from '../db/orm.ts';
import { runOf, startOf } from '../db/queries/run.ts';
import { isOpen } from '../db/timeline.ts';

export interface Deps {
  orm: Orm;
  temporal: Client;
}

/**
 * Starts a run from its timelines, unless it runs already or all its streams have ended. Before that, ends the runs that an earlier release
 * had for the streams of this run. A command that comes meanwhile finds no run and is answered 503.
 * @param run workflow id
 * @param replaced the present run of that name, when it has to end first
 * @returns whether a run is there now
 */
export async function rebuild({ orm, temporal }: Deps, run: string, replaced?: { runId?: string; because: string }): Promise<boolean> {
  const em = orm.em.fork();
  if (replaced) await end(temporal, run, replaced.because, replaced.runId);
  const streams = await streamsOf(em, run);
  // A booking's run could start one for the reviews, so it ends first.
  for (const stream of streams) if (stream !== run) await end(temporal, stream, `${run} answers for this stream now (decision 0028)`);
  const start = await startOf(em, run);
  if (!start || !(await isOpen(em, ...streams))) return false;
  const { workflowType, args, searchAttributes: pairs } = start;
  await temporal.workflow.start(workflowType, {
    workflowId: run,
    taskQueue: 'proxie',
    args,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `${workflowType} rebuilt from its timelines`,
    typedSearchAttributes: [...pairs, { key: searchAttributes.shape, value: runShape }],
  });
  return true;
}

/** All streams of a run: its own, and those of its bookings and their reviews, in this order. */
async function streamsOf(em: Db, run: string): Promise<string[]> {
  const [noun, id] = run.split('/') as [string, string];
  if (noun !== 'request' && noun !== 'booking') return [run];
  const bookings =
    noun === 'booking'
      ? [{ id }]
      : await sql<{ id: string }>(
          em,
          `select data ->> 'bookingId' as id from event where stream = ? and type = 'offer.accepted' order by seq`,
          [run],
        );
  return [...new Set([run, ...bookings.flatMap((booking) => [bookingWorkflowId(booking.id), reviewWorkflowId(booking.id)])])];
}

async function end(temporal: Client, workflowId: string, because: string, runId?: string): Promise<void> {
  try {
    await temporal.workflow.getHandle(workflowId, runId).terminate(because);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/**
 * Replaces runs of an earlier release, whose histories this release cannot replay.
 * @param most runs replaced in one pass
 * @param on called after every run; a run that could not be replaced stops no other one
 * @returns the workflow ids of the runs that answer now
 */
export async function moveOldRuns(
  deps: Deps,
  most: number,
  on: { moved: (count: number) => void; failed: (run: string, error: unknown) => void },
): Promise<string[]> {
  const moved = new Set<string>();
  const waiting = oldRuns(deps.temporal)[Symbol.asyncIterator]();

  async function lane(): Promise<void> {
    for (let next = await waiting.next(); !next.done && moved.size < most; next = await waiting.next()) {
      const { workflowId } = next.value;
      const run = await runOf(deps.orm.em.fork(), workflowId);
      if (!run || moved.has(run)) continue;
      // The list may name the run of a booking before the one of its request, and for a moment it names runs that have ended.
      const inItsPlace = await oldRunOf(deps.temporal, run);
      if (!inItsPlace && !(await oldRunOf(deps.temporal, workflowId))) continue;
      if (moved.has(run) || moved.size >= most) continue;
      moved.add(run);
      try {
        await rebuild(deps, run, inItsPlace ? { runId: inItsPlace, because: 'of an earlier release (decision 0028)' } : undefined);
        on.moved(moved.size);
      } catch (error) {
        moved.delete(run);
        on.failed(run, error);
      }
    }
  }

  const results = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return [...moved];
}

/** Runs that are replaced at the same time: a command for a run of an earlier release is refused until its turn has come. */
const lanes = 8;

/**
 * The running run of a name: the number of tries of its pending task (0: no task is pending), and the release that made it.
 * @returns undefined when no such run is running
 */
export async function runningRun(
  temporal: Client,
  workflowId: string,
): Promise<{ attempt: number; runId: string; shape: string | undefined } | undefined> {
  try {
    const { status, raw, runId, typedSearchAttributes } = await temporal.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') return undefined;
    return { attempt: raw.pendingWorkflowTask?.attempt ?? 0, runId, shape: typedSearchAttributes.get(searchAttributes.shape) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** The run id of the running run of that name, when it is of an earlier release. */
async function oldRunOf(temporal: Client, workflowId: string): Promise<string | undefined> {
  const run = await runningRun(temporal, workflowId);
  return run && run.shape !== runShape ? run.runId : undefined;
}

const types = ['requestWorkflow', 'bookingWorkflow', 'reviewWorkflow', 'seriesWorkflow', 'enrollmentWorkflow'];

function oldRuns(temporal: Client): AsyncIterable<WorkflowExecutionInfo> {
  const { name } = searchAttributes.shape;
  const named = types.map((type) => `'${type}'`).join(', ');
  return temporal.workflow.list({
    query: `ExecutionStatus = 'Running' and WorkflowType in (${named}) and (${name} is null or ${name} != '${runShape}')`,
  });
}
