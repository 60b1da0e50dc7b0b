import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { catchUp, getPosition } from '../contracts/run.messages.ts';
import { sql } from '../db/orm.ts';
import { runOf } from '../db/queries/run.ts';
import { isOpen } from '../db/timeline.ts';
import { rebuild, runningRun, type Deps } from './rebuild.ts';

export interface RunCheck {
  /** The run that answers for the stream. */
  workflowId: string;
  is: 'fine' | 'started' | 'woken' | 'silent' | 'ahead';
  /** The disagreement, in words for the report. */
  detail?: string;
}

/**
 * Makes sure that an open stream has a run, and that the run has folded the newest event.
 * @param stream `<noun>/<id>`
 * @param seq position of the newest event
 * @param patienceMs how long the run may take to answer
 * @param mayStart whether the timeline is sound, so that a run may be started from it
 * @param mayAsk false when several runs in a row gave no answer: then a worker is missing
 */
export async function checkRun(
  deps: Deps,
  stream: string,
  { seq, patienceMs, mayStart, mayAsk }: { seq: number; patienceMs: number; mayStart: boolean; mayAsk: boolean },
): Promise<RunCheck> {
  const { orm, temporal } = deps;
  const workflowId = await runOf(orm.em.fork(), stream);
  if (!workflowId) return { is: 'fine', workflowId: stream };
  const handle = temporal.workflow.getHandle(workflowId);
  const run = await runningRun(temporal, workflowId);
  if (!run) {
    // The stream may have ended since it was read as open. A run whose streams have all ended is not started.
    const started = mayStart && (await isOpen(orm.em.fork(), stream)) && (await rebuild(deps, workflowId));
    return { is: started ? 'started' : 'fine', workflowId };
  }
  if (run.attempt >= hopelessAttempts && mayStart && (await isBeyondReplay(handle))) {
    const because = 'its history cannot be replayed: rebuilt from its timelines (decision 0023)';
    return { is: (await rebuild(deps, workflowId, { runId: run.runId, because })) ? 'started' : 'fine', workflowId };
  }
  if (!mayAsk) return { is: 'silent', workflowId };
  const position = await positionOf(temporal, workflowId, { stream, hasTask: run.attempt > 0, until: Date.now() + patienceMs });
  if (position === null) {
    // A run whose history cannot be replayed answers no query and has no task that fails. The Signal gives it one.
    if (run.attempt === 0) await handle.signal(catchUp);
    return { is: 'silent', workflowId, detail: 'the run does not answer: no worker, or its workflow task fails' };
  }
  if (position < seq) {
    await handle.signal(catchUp);
    return { is: 'woken', workflowId };
  }
  if (position > seq) {
    const [now] = await sql<{ seq: number }>(orm.em.fork(), 'select coalesce(max(seq), 0) as seq from event where stream = ?', [stream]);
    if (position > now!.seq) return { is: 'ahead', workflowId, detail: `run at ${position}, timeline at ${now!.seq}: commits were lost` };
  }
  return { is: 'fine', workflowId };
}

/**
 * Asks a run for its position. A query during a workflow task would split the task (decision 0023), so the query waits until no task is
 * pending. If a task begins before the query arrives, the run refuses (decision 0024) and is asked once more.
 * @param hasTask whether a task was pending when the run was last described
 * @param until milliseconds since the epoch
 * @returns the position of the last event of the stream that the run has folded, or null when the run does not answer
 */
async function positionOf(
  temporal: Client,
  workflowId: string,
  { stream, hasTask, until }: { stream: string; hasTask: boolean; until: number },
): Promise<number | null> {
  const handle = temporal.workflow.getHandle(workflowId);
  let waits = hasTask;
  for (let asked = 0; asked < 2 && Date.now() < until;) {
    if (waits) await sleep(taskPollMs);
    else {
      const position = await temporal.withDeadline(until, () => handle.query(getPosition, stream)).catch(() => null);
      if (position !== null) return position;
      asked += 1;
    }
    waits = ((await runningRun(temporal, workflowId))?.attempt ?? 0) > 0;
  }
  return null;
}

const taskPollMs = 200;

/** Tries of a task before its last failure is examined. A failure that a dying worker caused is over by then. */
const hopelessAttempts = 3;

/** Whether the run's pending task failed because of its history. Every replay of such a history fails the same way. */
async function isBeyondReplay(handle: WorkflowHandle): Promise<boolean> {
  const events = (await handle.fetchHistory()).events ?? [];
  const task = events.slice(events.findLastIndex((event) => event.workflowTaskCompletedEventAttributes) + 1);
  const failure = task.findLast((event) => event.workflowTaskFailedEventAttributes)?.workflowTaskFailedEventAttributes;
  return beyondReplay.has(failure?.cause ?? 0);
}

/** `…_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE` and `…_NON_DETERMINISTIC_ERROR` (WorkflowTaskFailedCause in temporal.api.enums.v1). */
const beyondReplay: ReadonlySet<number> = new Set([30, 24]);
