// Stands in for src/activities/index.ts in a worker that a test has started with failpoints.
import { activityInfo } from '@temporalio/activity';
import { activitiesByQueue as real, type ActivityDeps } from '../../src/activities/index.ts';
import type { TaskQueue } from '../../src/contracts/queues.ts';
import { failpoints, withFailpoints } from './failpoint.ts';

const folder = process.env.FAILPOINTS;
if (!folder) throw new Error('FAILPOINTS must name the folder in which points are armed.');
const points = failpoints(folder);

export function activitiesByQueue(deps: ActivityDeps): Record<TaskQueue, object> {
  const whose = () => activityInfo().workflowExecution?.workflowId ?? '';
  const wrap = (activities: object) => withFailpoints(activities, { points, whose, die: () => process.kill(process.pid, 'SIGKILL') });
  const queues = Object.entries(real(deps)).map(([queue, activities]) => [queue, wrap(activities)]);
  return Object.fromEntries(queues) as Record<TaskQueue, object>;
}
