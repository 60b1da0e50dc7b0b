import { describe, expect, it, jest } from '@jest/globals';
import {
  Client,
  Connection,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure, defineSignal, defineUpdate } from '@temporalio/workflow';
import { pino } from 'pino';
import { commandSender, type CommandPorts, type SendCommand } from '../../src/api/http/command.ts';
import { toFailure } from '../../src/contracts/failures.ts';
import { DomainError } from '../../src/domain/errors.ts';
import type { CommandAnswer, CommandMeta } from '../../src/domain/command.ts';

const accept = defineUpdate<CommandAnswer, [CommandMeta]>('accept');
const happened = defineSignal<[string]>('happened');
const command: CommandMeta = { id: 'command-1', by: { id: 'a', role: 'consumer' } };

/** A client whose Updates do what the test says, and which remembers what it was asked. */
function sender(act: () => Promise<CommandAnswer>, ports: Partial<CommandPorts> = {}) {
  const asked: unknown[] = [];
  const run = (...args: unknown[]) => {
    asked.push(args);
    return act();
  };
  const temporal = {
    connection: {},
    withDeadline: <T>(deadline: number, work: () => Promise<T>) => (asked.push({ deadline }), work()),
    withAbortSignal: <T>(_signal: AbortSignal, work: () => Promise<T>) => work(),
    workflow: {
      getHandle: (id: string) => ({
        executeUpdate: (...args: unknown[]) => run(id, ...args),
        signal: (...args: unknown[]) => run(id, ...args),
      }),
      executeUpdateWithStart: run,
    },
  } as unknown as Client;
  const commands = commandSender({
    temporal,
    runOf: async (stream) => stream,
    answerOf: async () => undefined,
    isOpen: async () => false,
    endOf: async () => 3,
    deadlineMs: 1_000,
    log: pino({ level: 'silent' }),
    ...ports,
  });
  const send = (more: Partial<SendCommand<CommandMeta>> = {}) =>
    commands.send({ workflowId: 'request/1', update: accept, command, ...more });
  const tell = () => commands.tell('booking/1', happened, 'fact');
  return { send, tell, asked };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: unknown) => (error instanceof DomainError ? error.code : error),
  );
const ended: [string, () => Error][] = [
  ['not found', () => new WorkflowNotFoundError('workflow execution already completed', 'request/1', undefined)],
  ['already started and closed', () => new WorkflowExecutionAlreadyStartedError('x', 'request/1', 'requestWorkflow')],
  [
    'NOT_FOUND in a multi-operation',
    () => new ServiceError('x', { cause: Object.assign(new Error('gone'), { code: 5, details: '', metadata: {} }) }),
  ],
  [
    'it ended while the Update was on its way',
    () => new WorkflowUpdateFailedError('x', ApplicationFailure.create({ type: 'AcceptedUpdateCompletedWorkflow' })),
  ],
];

describe('sending a command', () => {
  it('uses the command id as Update id, within the deadline', async () => {
    const { send, asked } = sender(async () => ({ status: 'booked', seq: 4 }));
    const before = Date.now();
    expect(await send()).toEqual({ status: 'booked', seq: 4 });
    const after = Date.now();
    expect(asked[1]).toEqual(['request/1', accept, { args: [command], updateId: 'command-1' }]);
    const { deadline } = asked[0] as { deadline: number };
    expect(deadline).toBeGreaterThanOrEqual(before + 1_000);
    expect(deadline).toBeLessThanOrEqual(after + 1_000);
  });

  it('starts the run with the first command, once, and never a second time after it has ended', async () => {
    const { send, asked } = sender(async () => ({ status: 'intake', seq: 1 }));
    await send({ start: { workflowType: 'requestWorkflow', taskQueue: 'proxie', args: [{}], staticSummary: 'cleaning' } });
    const [, { startWorkflowOperation, updateId }] = asked[1] as [
      unknown,
      { startWorkflowOperation: { workflowTypeOrFunc: string; options: object }; updateId: string },
    ];
    expect(updateId).toBe('command-1');
    expect(startWorkflowOperation.workflowTypeOrFunc).toBe('requestWorkflow');
    expect(startWorkflowOperation.options).toMatchObject({
      workflowId: 'request/1',
      taskQueue: 'proxie',
      staticSummary: 'cleaning',
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
    });
  });

  it('given no worker looked at it, asks again as a new Update', async () => {
    let tries = 0;
    const { send, asked } = sender(async () => {
      tries += 1;
      if (tries === 1) throw new WorkflowUpdateFailedError('x', ApplicationFailure.create({ type: 'UnprocessedUpdate' }));
      return { status: 'booked', seq: 4 };
    });
    expect(await send()).toEqual({ status: 'booked', seq: 4 });
    expect(asked).toContainEqual(['request/1', accept, { args: [command], updateId: 'command-1/2' }]);
  });

  it('starts a run once more where the command may open its stream again', async () => {
    const { send, asked } = sender(async () => ({ status: 'disputed', seq: 5 }));
    await send({ start: { again: true, workflowType: 'bookingWorkflow', taskQueue: 'proxie', args: [{}] } });
    const [, { startWorkflowOperation }] = asked[1] as [unknown, { startWorkflowOperation: { options: object } }];
    expect(startWorkflowOperation.options).toMatchObject({
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    });
    expect(startWorkflowOperation.options).not.toHaveProperty('again');
  });

  it('given the run that took such a command was just ending, the next try starts another', async () => {
    let tries = 0;
    const { send } = sender(async () => {
      tries += 1;
      if (tries === 1) throw new WorkflowUpdateFailedError('x', ApplicationFailure.create({ type: 'AcceptedUpdateCompletedWorkflow' }));
      return { status: 'disputed', seq: 5 };
    });
    expect(await send({ start: { again: true, workflowType: 'bookingWorkflow', taskQueue: 'proxie', args: [{}] } })).toEqual({
      status: 'disputed',
      seq: 5,
    });
    expect(tries).toBe(2);
  });

  it('gives a refusal back as it was decided', async () => {
    const refusal = new DomainError('offer_not_open', 'Gone.', { allowed: ['decline'] });
    const { send } = sender(() => Promise.reject(new WorkflowUpdateFailedError('x', toFailure(refusal))));
    await expect(send()).rejects.toMatchObject({ code: 'offer_not_open', message: 'Gone.', detail: { allowed: ['decline'] } });
  });

  it('fault 2: given a run that a crash left behind its timeline, its refusal does not count: it is asked again', async () => {
    const stale = new WorkflowUpdateFailedError('x', toFailure(new DomainError('invalid_transition'), 2));
    let tries = 0;
    const answer = { status: 'in_progress', seq: 4 };
    const { send, asked } = sender(async () => ((tries += 1) === 1 ? Promise.reject(stale) : answer));
    expect(await send()).toEqual(answer);
    // What an Update has answered it answers for ever: it is another one, of the same command.
    const updates = [asked[1], asked[3]] as [string, unknown, { args: CommandMeta[]; updateId: string }][];
    expect(updates.map(([, , { args, updateId }]) => [args[0]!.id, updateId])).toEqual([
      ['command-1', 'command-1'],
      ['command-1', 'command-1/2'],
    ]);
    expect(await codeOf(sender(() => Promise.reject(stale)).send())).toBe('invalid_transition');
    const current = sender(() => Promise.reject(new WorkflowUpdateFailedError('x', toFailure(new DomainError('invalid_transition'), 3))));
    expect(await codeOf(current.send())).toBe('invalid_transition');
    expect(current.asked).toHaveLength(2);
  });

  it('fault 2: given such a run takes a command for done, it is asked again, and nobody is told so who was not heard', async () => {
    const unchanged = { status: 'held', seq: 2, unchanged: true } as const;
    const written = { status: 'held', seq: 4 };
    let tries = 0;
    const { send, asked } = sender(async () => ((tries += 1) === 1 ? unchanged : written));
    expect(await send()).toEqual(written);
    expect(asked).toContainEqual(['request/1', accept, { args: [command], updateId: 'command-1/2' }]);
    expect(await codeOf(sender(async () => unchanged).send())).toBe('temporarily_unavailable');
    const current = { ...unchanged, seq: 3 };
    expect(await sender(async () => current).send()).toEqual(current);
  });

  describe.each(ended)('given a run that is %s', (_name, make) => {
    const fail = () => Promise.reject(make());
    it('gives the stored answer of a command that was carried out', async () => {
      expect(await sender(fail, { answerOf: async () => ({ status: 'booked', seq: 9 }) }).send()).toEqual({ status: 'booked', seq: 9 });
    });
    it('refuses a command it never saw', async () => {
      expect(await codeOf(sender(fail).send())).toBe('invalid_transition');
      expect(await codeOf(sender(fail).send({ closed: async () => new DomainError('offer_not_open') }))).toBe('offer_not_open');
    });
    it('fault 70: while its stream is open, says that nothing was lost', async () => {
      expect(await codeOf(sender(fail, { isOpen: async () => true }).send())).toBe('temporarily_unavailable');
    });
  });

  it('fault 20: given no frontend, it says so within two seconds, and at once right after', async () => {
    const connection = Connection.lazy({ address: '127.0.0.1:1' });
    const temporal = new Client({ connection });
    const commands = commandSender({
      temporal,
      runOf: async (stream) => stream,
      answerOf: async () => undefined,
      isOpen: async () => true,
      endOf: async () => 0,
      deadlineMs: 10_000,
      log: pino({ level: 'silent' }),
    });
    const channel = (connection as unknown as { client: { waitForReady(deadline: number, callback: () => void): void } }).client;
    const checks = jest.spyOn(channel, 'waitForReady');
    // The clock stands still: however slow the machine is, the second comes right after the first.
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now);
    const send = () => codeOf(commands.send({ workflowId: 'request/1', update: accept, command }));
    try {
      expect([await send(), await send()]).toEqual(['temporarily_unavailable', 'temporarily_unavailable']);
    } finally {
      clock.mockRestore();
      await connection.close();
    }
    expect(checks).toHaveBeenCalledTimes(1);
    expect(checks.mock.calls[0]![0]).toBeLessThanOrEqual(now + 2_000);
  });
});

describe('a fact from outside', () => {
  it('reaches the run as a Signal, within the deadline', async () => {
    const { tell, asked } = sender(async () => ({ status: '', seq: 0 }));
    expect(await tell()).toBe(true);
    expect(asked).toContainEqual(['booking/1', happened, 'fact']);
    expect(asked).toContainEqual({ deadline: expect.any(Number) });
  });

  it('nobody waits for is not told', async () => {
    const { tell } = sender(() => Promise.reject(ended[0]![1]()));
    expect(await tell()).toBe(false);
  });

  it('whose run is about to be started again has to come later', async () => {
    const { tell } = sender(() => Promise.reject(ended[0]![1]()), { isOpen: async () => true });
    expect(await codeOf(tell())).toBe('temporarily_unavailable');
  });

  it('given another error, that one comes out', async () => {
    const away = new ServiceError('unavailable', { cause: Object.assign(new Error('x'), { code: 14, details: '', metadata: {} }) });
    expect(await codeOf(sender(() => Promise.reject(away)).tell())).toBe(away);
  });
});
