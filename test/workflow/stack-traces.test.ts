// WORKER_STACK_TRACES: whether workflows collect a stack trace for every promise.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accepted } from '../support/play.ts';
import { startSuite, type Suite } from '../support/suite.ts';

/** What the Web UI shows as the "Call Stack" of a run that waits. */
async function callStack(suite: Suite): Promise<string> {
  const consumer = await suite.as('consumer', 'consumer');
  const { requestId } = accepted(await consumer.post('/chat', { message: 'My kitchen sink is leaking' }));
  return suite.temporal.workflow.getHandle(`request/${requestId}`).query<string>('__stack_trace');
}

describe.each(['off', 'on'])('given stack traces %s', (setting) => {
  let suite: Suite;
  beforeAll(async () => {
    suite = await startSuite({ env: { WORKER_STACK_TRACES: setting } });
  });
  afterAll(() => suite.close());

  it('a run serves its commands, and shows its call stack, or says that it cannot', async () => {
    const stack = callStack(suite);
    if (setting === 'on') expect(await stack).toMatch(/requestWorkflow/);
    else await expect(stack).rejects.toThrow('Workflow stack traces are not enabled on this worker');
  });
});
