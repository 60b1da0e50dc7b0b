import { setTimeout as sleep } from 'node:timers/promises';
import type { SearchAttributePair, SignalDefinition, UpdateDefinition } from '@temporalio/common';
import {
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  isGrpcServiceError,
  type Client,
} from '@temporalio/client';
import type { Logger } from 'pino';
import { fromFailure, refusedAt, toFailure } from '../../contracts/failures.ts';
import type { TaskQueue } from '../../contracts/queues.ts';
import { runShape, searchAttributes } from '../../contracts/search-attributes.ts';
import { DomainError } from '../../domain/errors.ts';
import { ensureReachable } from './temporal-reach.ts';
import { wasOverlooked } from './unavailable.ts';
import type { CommandAnswer, CommandMeta } from '../../domain/command.ts';

/** How to start the run for the first command of its stream, or for the first command after the run has ended. */
export interface StartRun {
  /** The stream may be opened once more: a new run is started although an earlier run has ended. */
  again?: true;
  workflowType: string;
  taskQueue: TaskQueue;
  /** The workflow's input. */
  args: unknown[];
  searchAttributes?: SearchAttributePair[];
  staticSummary?: string;
  staticDetails?: string;
}

export interface SendCommand<C extends CommandMeta> {
  /** The run that answers for the stream. */
  workflowId: string;
  /** The stream that the command is about, when it does not have the run's name: `booking/<id>`, `review/<id>`. */
  stream?: string;
  update: UpdateDefinition<CommandAnswer, [C], string>;
  /** Its `id` is the command id. The Update id is the same, unless the command is sent again after a refusal. */
  command: C;
  start?: StartRun;
  /** Makes the refusal when the run has ended without this command. Default: invalid_transition with nothing allowed. */
  closed?: () => Promise<DomainError>;
  /** Aborted when the caller has gone: nobody reads the answer then, so sending stops. */
  signal?: AbortSignal;
}

/** The one way from a route to a workflow. */
export interface Commands {
  /**
   * Sends a command as an Update and waits for the answer.
   * @throws the refusal · temporarily_unavailable when Temporal cannot be reached or does not answer in time
   */
  send<C extends CommandMeta>(input: SendCommand<C>): Promise<CommandAnswer>;
  /**
   * Sends the run that answers for a stream a fact from outside, as a Signal.
   * @returns false when there is no run and the stream is closed, or when there was never such a stream
   * @throws temporarily_unavailable when Temporal cannot be reached, or when the run is about to be started again
   */
  tell<F>(stream: string, signal: SignalDefinition<[F], string>, fact: F): Promise<boolean>;
}

export interface CommandPorts {
  temporal: Client;
  /** The workflow id of the run that answers for a stream. */
  runOf: (stream: string) => Promise<string | undefined>;
  /** The answer that the timeline holds for a command, also after the run has ended. */
  answerOf: (stream: string, commandId: string) => Promise<CommandAnswer | undefined>;
  /** Whether the stream still needs a run. */
  isOpen: (stream: string) => Promise<boolean>;
  /** Position of a stream's last event. */
  endOf: (stream: string) => Promise<number>;
  deadlineMs: number;
  log: Logger;
}

/** Attempts in all. The pauses between them are 50, 100 and 150 ms. */
const attempts = 4;

export function commandSender({ temporal, runOf, answerOf, isOpen, endOf, deadlineMs, log }: CommandPorts): Commands {
  return {
    async send(input) {
      const { stream = input.workflowId } = input;
      let updateId = input.command.id;
      for (let attempt = 1; ; attempt += 1) {
        const last = attempt === attempts;
        try {
          await ensureReachable(temporal);
          const answer = await withinDeadline(temporal, deadlineMs, input.signal, () => execute(temporal, input, updateId));
          if (!answer.unchanged || !(await isBehind(stream, answer.seq))) return answer;
          // A run that is behind its timeline can also say wrongly that there was nothing to do.
          throw toFailure(new DomainError('temporarily_unavailable', undefined, { retryAfterS: 5 }), answer.seq);
        } catch (error) {
          if (isEnded(error)) {
            const answer = await afterTheEnd(input);
            if (answer) return answer;
            if (last) throw withoutRun(input.workflowId);
          } else {
            if (last || !(await mayAnswerOtherwise(error, stream))) throw fromFailure(error) ?? error;
            updateId = `${input.command.id}/${attempt + 1}`;
          }
        }
        await sleep(attempt * 50);
      }
    },

    async tell(stream, signal, fact) {
      const workflowId = await runOf(stream);
      if (!workflowId) return false;
      try {
        await ensureReachable(temporal);
        await withinDeadline(temporal, deadlineMs, undefined, () => temporal.workflow.getHandle(workflowId).signal(signal, fact));
        return true;
      } catch (error) {
        if (!isEnded(error)) throw error;
        if (await isOpen(stream)) throw withoutRun(workflowId);
        return false;
      }
    },
  };

  /**
   * Whether the run decided at a position before the end of its timeline. A worker that died after writing leaves its run
   * behind. Such a run may refuse a command wrongly, or take a command for done. The same command sent again as a new Update
   * makes the run catch up first.
   */
  async function isBehind(stream: string, seq: number): Promise<boolean> {
    return (await endOf(stream)) > seq;
  }

  async function mayAnswerOtherwise(error: unknown, stream: string): Promise<boolean> {
    const seq = refusedAt(error);
    return wasOverlooked(error) || (seq !== undefined && (await isBehind(stream, seq)));
  }

  function withoutRun(workflowId: string): DomainError {
    log.error({ workflowId }, 'an open stream has no run; the reconciler starts one');
    return new DomainError('temporarily_unavailable', undefined, { retryAfterS: 5 });
  }

  /**
   * Called when the run has ended, was lost, or continues as a new one. The timeline knows whether the command was carried out
   * before.
   * @returns undefined when the stream still needs a run: for a moment between two runs of one conversation there is none
   * @throws the refusal when the stream is closed
   */
  async function afterTheEnd<C extends CommandMeta>({
    workflowId,
    stream = workflowId,
    command,
    closed,
    start,
  }: SendCommand<C>): Promise<CommandAnswer | undefined> {
    const answer = await answerOf(stream, command.id);
    // With `again`, the run was about to end when the command came: the next attempt starts another run.
    if (answer || start?.again || (await isOpen(stream))) return answer;
    if (start) log.warn({ workflowId }, 'a first command came after its run had ended');
    throw closed ? await closed() : new DomainError('invalid_transition', undefined, { allowed: [] });
  }
}

function execute<C extends CommandMeta>(
  temporal: Client,
  { workflowId, update, command, start }: SendCommand<C>,
  updateId: string,
): Promise<CommandAnswer> {
  const options = { args: [command] as [C], updateId };
  if (!start) return temporal.workflow.getHandle(workflowId).executeUpdate(update, options);
  const { workflowType, searchAttributes: pairs = [], again, ...rest } = start;
  const startWorkflowOperation = new WithStartWorkflowOperation(workflowType, {
    ...rest,
    workflowId,
    typedSearchAttributes: [...pairs, { key: searchAttributes.shape, value: runShape }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    // A late message must not start the run of a finished request again.
    workflowIdReusePolicy: again ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
  });
  return temporal.workflow.executeUpdateWithStart(update, { ...options, startWorkflowOperation });
}

/** Bounds the wait for an answer: while no worker runs, the client would poll without end. */
function withinDeadline<T>(temporal: Client, deadlineMs: number, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const timed = () => temporal.withDeadline(Date.now() + deadlineMs, work);
  return signal ? temporal.withAbortSignal(signal, timed) : timed();
}

const grpcNotFound = 5;

/** Whether no run took the command: the run has ended, is unknown, or ended while the command was on its way. */
function isEnded(error: unknown): boolean {
  if (error instanceof WorkflowNotFoundError || error instanceof WorkflowExecutionAlreadyStartedError) return true;
  if (error instanceof ServiceError && isGrpcServiceError(error.cause)) return error.cause.code === grpcNotFound;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if ((cause as { type?: unknown }).type === 'AcceptedUpdateCompletedWorkflow') return true;
  }
  return false;
}
