import { beforeAll, describe, expect, it } from '@jest/globals';
import budget from '../../bench/cost.budget.json' with { type: 'json' };
import { measureBookedRequest, type BookedRequestCost } from '../../bench/booked-request.ts';
import { countHistory } from '../../bench/history-cost.ts';

describe('one booked request with three offers and two reminders', () => {
  let cost: BookedRequestCost;
  beforeAll(async () => {
    cost = await measureBookedRequest();
  }, 300_000);

  it('its run, from the first fact to the published reviews, stays within its budget (bench/cost.budget.json)', () => {
    const { billed, actions, events, bytes } = cost.run;
    const over = Object.entries({ actions, events, bytes }).filter(([what, value]) => value > budget.run[what as 'actions']);
    // Compared together with the single billed actions, so that a failure shows its origin.
    expect(over.length ? { over, billed } : 'within').toBe('within');
  });

  // All writing transactions of a server are counted by `npm run cost` only: here other suites write as well.
  it('writes no more transactions to timelines than its budget', () => {
    expect(cost.sql.appends).toBeLessThanOrEqual(budget.sql.appends);
  });
});

describe('counting a history', () => {
  it('given every kind of billed event, each is counted by the published rules', () => {
    const events = [
      { workflowExecutionStartedEventAttributes: {} },
      { workflowTaskCompletedEventAttributes: {} },
      { workflowExecutionUpdateAcceptedEventAttributes: {} },
      { workflowExecutionSignaledEventAttributes: {} },
      { markerRecordedEventAttributes: { workflowTaskCompletedEventId: 4 } },
      { markerRecordedEventAttributes: { workflowTaskCompletedEventId: 4 } },
      { markerRecordedEventAttributes: { workflowTaskCompletedEventId: 9 } },
      { timerStartedEventAttributes: {} },
      { upsertWorkflowSearchAttributesEventAttributes: {} },
      { startChildWorkflowExecutionInitiatedEventAttributes: {} },
      { activityTaskScheduledEventAttributes: {} },
      { activityTaskStartedEventAttributes: { attempt: 3 } },
    ];
    expect(countHistory({ events } as never)).toEqual({
      billed: {
        start: 1,
        updates: 1,
        signals: 1,
        timers: 1,
        'search-attribute upserts': 1,
        children: 2,
        activities: 1,
        'activity retries': 2,
        'workflow tasks with local activities': 2,
      },
      actions: 12,
      events: 12,
      workflowTasks: 1,
    });
  });

  it('given a child, its start is on the bill of its parent', () => {
    const started = { workflowExecutionStartedEventAttributes: { parentWorkflowExecution: { workflowId: 'request/1' } } };
    expect(countHistory({ events: [started] } as never).actions).toBe(0);
  });
});
