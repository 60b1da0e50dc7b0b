import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { catchUp, getPosition } from '../contracts/run.messages.ts';
import { sql, type Orm } from '../db/orm.ts';
import { eventsOf } from '../db/timeline.ts';
import { isOpen } from './reconcile.timeline.ts';
import { duplicate, streamKinds } from './streams.ts';

export interface Deps {
  orm: Orm;
  temporal: Client;
}

export interface RunCheck {
  is: 'fine' | 'started' | 'woken' | 'silent' | 'ahead';
  /** What disagrees. */
  detail?: string;
}

/**
 * Sees to it that an open stream has a run, and that the run has heard of its newest event.
 * @param mayAsk false once nobody answers any more: then it is the worker that is missing
 */
export async function checkRun(
  { orm, temporal }: Deps,
  stream: string,
  { seq, patienceMs, mayStart, mayAsk }: { seq: number; patienceMs: number; mayStart: boolean; mayAsk: boolean },
): Promise<RunCheck> {
  const kind = streamKinds[stream.split('/')[0]!];
  if (!kind) return { is: 'fine' };
  const handle = temporal.workflow.getHandle(stream);
  if (!(await isRunning(temporal, stream))) {
    // It may have ended since we read that it is open: an ended stream gets no run.
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
  }
  if (!mayAsk) return { is: 'silent' };
  const position = await temporal.withDeadline(Date.now() + patienceMs, () => handle.query(getPosition)).catch(() => null);
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

async function isRunning(temporal: Client, workflowId: string): Promise<boolean> {
  try {
    return (await temporal.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
