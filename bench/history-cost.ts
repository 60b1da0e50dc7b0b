// What a run costs, counted from its history: billed actions by the rules of Temporal's "Cloud Actions" page.
import { temporal } from '@temporalio/proto';

type History = temporal.api.history.v1.IHistory;
type Event = temporal.api.history.v1.IHistoryEvent;

export interface RunCost {
  /** Billed actions by what they are for. */
  billed: Record<string, number>;
  actions: number;
  events: number;
  bytes: number;
  workflowTasks: number;
}

/**
 * Counts one run. A child is billed to its parent, a signal to the run that receives it, and all local activities of one workflow
 * task together. Not in a history, so not counted: queries, heartbeats, rejected updates, schedules.
 */
export function costOf(history: History): RunCost {
  const events = history.events ?? [];
  const billed: Record<string, number> = {};
  const bill = (what: string, actions = 1) => {
    if (actions) billed[what] = (billed[what] ?? 0) + actions;
  };
  const tasksWithLocalActivities = new Set<string>();
  const upserts = (event: Event) => event.upsertWorkflowSearchAttributesEventAttributes;
  for (const event of events) {
    const started = event.workflowExecutionStartedEventAttributes;
    const marker = event.markerRecordedEventAttributes;
    if (started && !started.parentWorkflowExecution?.workflowId) bill(started.continuedExecutionRunId ? 'continue-as-new' : 'start');
    if (event.workflowExecutionUpdateAcceptedEventAttributes) bill('updates');
    if (event.workflowExecutionSignaledEventAttributes) bill('signals');
    if (event.timerStartedEventAttributes) bill('timers');
    if (upserts(event)) bill('search-attribute upserts');
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
    bytes: temporal.api.history.v1.History.encode(history).finish().length,
    workflowTasks: events.filter(({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes).length,
  };
}
