import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client';
import { catchUp, getPosition } from '../contracts/run.messages.ts';
import { sql, type Orm } from '../db/orm.ts';
import { eventsOf } from '../db/timeline.ts';
import { isOpen } from './reconcile.timeline.ts';
import { duplicate, streamKinds } from './stream-kinds.ts';

export interface Deps {
  orm: Orm;
  temporal: Client;
}

export interface RunCheck {
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
  { orm, temporal }: Deps,
  stream: string,
  { seq, patienceMs, mayStart, mayAsk }: { seq: number; patienceMs: number; mayStart: boolean; mayAsk: boolean },
): Promise<RunCheck> {
  const kind = streamKinds[stream.split('/')[0]!];
  if (!kind) return { is: 'fine' };
  const handle = temporal.workflow.getHandle(stream);
  const start = async (): Promise<RunCheck> => {
    // The stream may have ended since it was read as open. An ended stream gets no run.
    if (!mayStart || !(await isOpen(orm.em.fork(), stream))) return { is: 'fine' };
    const [first] = await eventsOf(orm.em.fork(), stream, 0);
    await temporal.workflow.start(kind.workflowType, {
      workflowId: stream,
      taskQueue: 'proxie',
      args: [kind.inputOf(first!)],
      workflowIdReusePolicy: duplicate,
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `${kind.workflowType} rebuilt from its timeline`,
      typedSearchAttributes: kind.attributesOf(first!),
    });
    return { is: 'started' };
  };
  const run = await runningRun(temporal, stream);
  if (!run) return start();
  if (run.attempt >= hopelessAttempts && mayStart && (await isBeyondReplay(handle))) {
    await handle.terminate('its history cannot be replayed: rebuilt from its timeline (decision 0023)');
    return start();
  }
  if (!mayAsk) return { is: 'silent' };
  const position = await positionOf(temporal, stream, { hasTask: run.attempt > 0, until: Date.now() + patienceMs });
  if (position === null) return { is: 'silent', detail: 'the run does not answer: no worker, or its workflow task fails' };
  if (position < seq) {
    await handle.signal(catchUp);
    return { is: 'woken' };
  }
  if (position > seq) {
    const [now] = await sql<{ seq: number }>(orm.em.fork(), 'select coalesce(max(seq), 0) as seq from event where stream = ?', [stream]);
    if (position > now!.seq) return { is: 'ahead', detail: `run at ${position}, timeline at ${now!.seq}: commits were lost` };
  }
  return { is: 'fine' };
}

/**
 * Asks a run for its position. A query during a workflow task would split the task (decision 0023), so the query waits until no task is
 * pending. If a task begins before the query arrives, the run refuses (decision 0024) and is asked once more.
 * @param hasTask whether a task was pending when the run was last described
 * @param until milliseconds since the epoch
 * @returns the position of the last event that the run has folded, or null when the run does not answer
 */
async function positionOf(
  temporal: Client,
  workflowId: string,
  { hasTask, until }: { hasTask: boolean; until: number },
): Promise<number | null> {
  const handle = temporal.workflow.getHandle(workflowId);
  let waits = hasTask;
  for (let asked = 0; asked < 2 && Date.now() < until;) {
    if (waits) await sleep(taskPollMs);
    else {
      const position = await temporal.withDeadline(until, () => handle.query(getPosition)).catch(() => null);
      if (position !== null) return position;
      asked += 1;
    }
    waits = ((await runningRun(temporal, workflowId))?.attempt ?? 0) > 0;
  }
  return null;
}

const taskPollMs = 200;

/** @returns the number of tries of the run's pending task (0: no task is pending), or undefined when there is no run */
async function runningRun(temporal: Client, workflowId: string): Promise<{ attempt: number } | undefined> {
  try {
    const { status, raw } = await temporal.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') return undefined;
    return { attempt: raw.pendingWorkflowTask?.attempt ?? 0 };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

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
