import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { getPosition } from '../../src/contracts/run.messages.ts';
import { dataConverter } from '../../src/temporal/data-converter.ts';
import { eventually, type Caller } from '../support/http.ts';
import { leakRequest, seedProvider } from '../support/seed.ts';
import { startStack, type Stack } from './harness.ts';

/** Length of a round. The reminder after half of this time fires within the 10 s for which a task is kept for a dead worker. */
const windowMs = 17_000;
/**
 * The server delivers the query before the task only while it keeps the task for the dead worker. A slow machine may start the next
 * worker too late. Then the test tries again with another request.
 */
const attempts = 4;

let stack: Stack;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
  stack = await startStack({ policy: { roundWindowMs: { urgent: windowMs, soon: windowMs, flexible: windowMs } } });
}, 300_000);
afterAll(() => stack?.close(), 300_000);

describe('a run that is asked something while its timer fires and its worker is dead', () => {
  it('decides nothing before its task begins: every replay agrees with what it does then', async () => {
    await seedProvider(stack.orm);
    const consumer = await stack.as('consumer', 'consumer');
    const answers: string[] = [];
    for (let attempt = 1; attempt <= attempts && !answers.includes('refused'); attempt += 1) answers.push(await play(consumer));
    // A play proves nothing when the query arrived at a complete task.
    expect(answers.at(-1)).toBe('refused');
  }, 400_000);
});

/** @returns `refused` when the query arrived at half a task */
async function play(consumer: Caller): Promise<'refused' | 'answered'> {
  const { body } = await consumer.post('/requests', leakRequest({ submit: true }));
  const run = stack.client.workflow.getHandle(`request/${body.id}`);
  const hasTask = async () => Boolean((await run.describe()).raw.pendingWorkflowTask);
  await eventually(
    () => stack.rows("select from event where stream = ? and type = 'round.opened'", [run.workflowId]),
    ({ length }) => length === 1,
  );
  await eventually(hasTask, (has) => !has, { what: 'the end of its task' });
  await stack.worker.kill();
  const asked = stack.client
    .withDeadline(Date.now() + 60_000, () => run.query(getPosition))
    .then(
      () => 'answered' as const,
      (error: Error) => (error.message.includes('a task is waiting: ask again') ? ('refused' as const) : Promise.reject(error)),
    );
  asked.catch(() => {}); // Awaited below.
  // When the timer fired before the kill, no task appears. The play then still continues to its end.
  await eventually(hasTask, (has) => has, { what: 'its timer', withinMs: windowMs }).catch(() => {});
  await stack.worker.start();
  expect(await run.result()).toEqual({ outcome: 'unfilled' });
  const workflowBundle = { code: readFileSync(process.env.PROXIE_TEST_BUNDLE!, 'utf8') };
  await Worker.runReplayHistory({ workflowBundle, dataConverter: dataConverter() }, await run.fetchHistory(), run.workflowId);
  expect(await stack.check()).toMatchObject({ disagreements: [], failed: [], started: [], caughtUp: [] });
  return asked;
}
