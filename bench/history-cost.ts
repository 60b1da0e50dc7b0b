// The cost of a run, counted from its history: billed actions by the rules of Temporal's "Cloud Actions" page.
import type { WorkflowHandle } from '@temporalio/client';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

export interface RunCost {
  /** Number of billed actions by their kind. */
  billed: Record<string, number>;
  actions: number;
  events: number;
  bytes: number;
  workflowTasks: number;
}

/**
 * Counts the actions of one run. A child is billed to its parent, a signal to the run that receives it, and all local
 * activities of one workflow task count as one.
 * Queries, heartbeats, rejected updates and schedules are not in a history, so they are not counted.
 */
export function countHistory(history: History): Omit<RunCost, 'bytes'> {
  const events = history.events ?? [];
  const billed: Record<string, number> = {};
  const bill = (what: string, actions = 1) => {
    if (actions) billed[what] = (billed[what] ?? 0) + actions;
  };
  const tasksWithLocalActivities = new Set<string>();
  for (const event of events) {
    const started = event.workflowExecutionStartedEventAttributes;
    const marker = event.markerRecordedEventAttributes;
    if (started && !started.parentWorkflowExecution?.workflowId) bill(started.continuedExecutionRunId ? 'continue-as-new' : 'start');
    if (event.workflowExecutionUpdateAcceptedEventAttributes) bill('updates');
    if (event.workflowExecutionSignaledEventAttributes) bill('signals');
    if (event.timerStartedEventAttributes) bill('timers');
    const upserted = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
    // `patched` upserts a search attribute of its own, which is not billed.
    if (event.upsertWorkflowSearchAttributesEventAttributes && !upserted?.['TemporalChangeVersion']) bill('search-attribute upserts');
    if (event.startChildWorkflowExecutionInitiatedEventAttributes) bill('children', 2);
    if (event.activityTaskScheduledEventAttributes) bill('activities');
    if (event.activityTaskStartedEventAttributes) bill('activity retries', (event.activityTaskStartedEventAttributes.attempt ?? 1) - 1);
    if (marker) tasksWithLocalActivities.add(String(marker.workflowTaskCompletedEventId));
  }
  bill('workflow tasks with local activities', tasksWithLocalActivities.size);
  return {
    billed,
    actions: Object.values(billed).reduce((sum, actions) => sum + actions, 0),
    events: events.length,
    workflowTasks: events.filter(({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes).length,
  };
}

/** A run's cost, with the size of its history as the server counts it. */
export async function costOf(handle: WorkflowHandle): Promise<RunCost> {
  const [history, { historySize = 0 }] = await Promise.all([handle.fetchHistory(), handle.describe()]);
  return { ...countHistory(history), bytes: historySize };
}
