import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineUpdate } from '@temporalio/workflow';
import { pino } from 'pino';
import { commandSender } from '../../src/api/http/command.ts';
import { refusalOf } from '../../src/api/http/problem.ts';
import { startSuite, type Suite } from '../support/suite.ts';
import type { CommandAnswer, CommandMeta } from '../../src/domain/command.ts';

let suite: Suite;
beforeAll(async () => void (suite = await startSuite({ worker: false, api: false })));
afterAll(() => suite.close());

const poke = defineUpdate<CommandAnswer, [CommandMeta]>('poke');

/** Completes a run's tasks without processing their messages, as a worker that has lost the messages does. */
async function overlook(taskQueue: string, tasks: number): Promise<void> {
  const { connection } = suite.temporal;
  const from = { namespace: suite.namespace, identity: 'overlooks' };
  const poll = () => connection.workflowService.pollWorkflowTaskQueue({ ...from, taskQueue: { name: taskQueue } });
  for (let n = 0; n < tasks; n += 1) {
    const { taskToken } = await connection.withDeadline(Date.now() + 60_000, poll);
    await connection.workflowService.respondWorkflowTaskCompleted({ ...from, taskToken });
  }
}

describe('an Update that no worker looked at', () => {
  it('is asked for again, and refused for the moment when that does not help: it is nobody’s bug', async () => {
    const taskQueue = randomUUID();
    const workflowId = `request/${randomUUID()}`;
    await suite.temporal.workflow.start('anything', { workflowId, taskQueue });
    const commands = commandSender({
      temporal: suite.temporal,
      runOf: async (stream) => stream,
      answerOf: async () => undefined,
      isOpen: async () => true,
      endOf: async () => 0,
      deadlineMs: 30_000,
      log: pino({ level: 'silent' }),
    });
    await overlook(taskQueue, 1);
    const command: CommandMeta = { id: randomUUID(), by: { id: randomUUID(), role: 'consumer' } };
    const [refusal] = await Promise.all([
      commands.send({ workflowId, update: poke, command }).catch((error: unknown) => error),
      overlook(taskQueue, 4),
    ]);
    expect(refusalOf(refusal).code).toBe('temporarily_unavailable');
  });
});
