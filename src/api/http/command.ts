import { setTimeout as sleep } from 'node:timers/promises';
import type { SignalDefinition, UpdateDefinition } from '@temporalio/common';
import {
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  isGrpcServiceError,
  type Client,
  type WorkflowStartOptions,
} from '@temporalio/client';
import type { Logger } from 'pino';
import { fromFailure, refusedAt, toFailure } from '../../contracts/failures.ts';
import type { TaskQueue } from '../../contracts/queues.ts';
import { DomainError } from '../../domain/errors.ts';
import { ensureReachable } from './temporal-reach.ts';
import { wasOverlooked } from './unavailable.ts';
import type { CommandAnswer, CommandMeta } from '../../domain/command.ts';

/** How to start the run when the command is the first of its stream, or the first after its run had ended. */
export interface StartRun {
  /** The stream may be opened once more: its run is started although there was one before. */
  again?: true;
  workflowType: string;
  taskQueue: TaskQueue;
  /** The workflow's input. */
  args: unknown[];
  searchAttributes?: WorkflowStartOptions['typedSearchAttributes'];
  staticSummary?: string;
  staticDetails?: string;
}

export interface SendCommand<C extends CommandMeta> {
  /** Also the stream: `request/<id>` and so on. */
  workflowId: string;
  update: UpdateDefinition<CommandAnswer, [C], string>;
  /** Its `id` is the command id, and the Update id unless a refusal has to be asked about again. */
  command: C;
  start?: StartRun;
  /** The refusal when the run has ended and never saw this command; by default nothing is allowed any more. */
  closed?: () => Promise<DomainError>;
  /** The caller's: nobody waits for an answer nobody reads. */
  signal?: AbortSignal;
}

/** The one way from a route to a workflow. */
export interface Commands {
  /** @throws the refusal · temporarily_unavailable when Temporal cannot be asked or does not answer in time */
  send<C extends CommandMeta>(input: SendCommand<C>): Promise<CommandAnswer>;
  /**
   * Tells a run a fact from outside, as a Signal.
   * @returns false when there is no run and none is wanted any more
   * @throws temporarily_unavailable when Temporal cannot be asked, or the run is about to be started again
   */
  tell<F>(workflowId: string, signal: SignalDefinition<[F], string>, fact: F): Promise<boolean>;
}

export interface CommandPorts {
  temporal: Client;
  /** What the timeline says about a command, also after its run has ended. */
  answerOf: (stream: string, commandId: string) => Promise<CommandAnswer | undefined>;
  /** Whether a stream still wants a run. */
  isOpen: (stream: string) => Promise<boolean>;
  /** Position of a stream's last event. */
  endOf: (stream: string) => Promise<number>;
  deadlineMs: number;
  log: Logger;
}

/** Tries while an open stream has no run: 50, 100, 150 ms apart. */
const attempts = 4;

export function commandSender({ temporal, answerOf, isOpen, endOf, deadlineMs, log }: CommandPorts): Commands {
  return {
    async send(input) {
      let updateId = input.command.id;
      for (let attempt = 1; ; attempt += 1) {
        const last = attempt === attempts;
        try {
          await ensureReachable(temporal);
          const answer = await withinDeadline(temporal, deadlineMs, input.signal, () => execute(temporal, input, updateId));
          if (!answer.unchanged || !(await isBehind(input.workflowId, answer.seq))) return answer;
          // As much as a refusal of somebody who did not know.
          throw toFailure(new DomainError('temporarily_unavailable', undefined, { retryAfterS: 5 }), answer.seq);
        } catch (error) {
          if (isEnded(error)) {
            const answer = await afterTheEnd(input);
            if (answer) return answer;
            if (last) throw withoutRun(input.workflowId);
          } else {
            if (last || !(await mayAnswerOtherwise(error, input.workflowId))) throw fromFailure(error) ?? error;
            updateId = `${input.command.id}/${attempt + 1}`;
          }
        }
        await sleep(attempt * 50);
      }
    },

    async tell(workflowId, signal, fact) {
      try {
        await ensureReachable(temporal);
        await withinDeadline(temporal, deadlineMs, undefined, () => temporal.workflow.getHandle(workflowId).signal(signal, fact));
        return true;
      } catch (error) {
        if (!isEnded(error)) throw error;
        if (await isOpen(workflowId)) throw withoutRun(workflowId);
        return false;
      }
    },
  };

  /**
   * A worker that died has left its run behind what it had written: it may refuse, or take for done, what the timeline sees otherwise.
   * Asked once more, as a new Update, it has caught up.
   */
  async function isBehind(workflowId: string, seq: number): Promise<boolean> {
    return (await endOf(workflowId)) > seq;
  }

  async function mayAnswerOtherwise(error: unknown, workflowId: string): Promise<boolean> {
    const seq = refusedAt(error);
    return wasOverlooked(error) || (seq !== undefined && (await isBehind(workflowId, seq)));
  }

  function withoutRun(workflowId: string): DomainError {
    log.error({ workflowId }, 'an open stream has no run; the reconciler starts one');
    return new DomainError('temporarily_unavailable', undefined, { retryAfterS: 5 });
  }

  /**
   * The run has ended, was lost, or continues as a new one. The timeline knows whether the command was carried out before.
   * @returns undefined when the stream still wants a run: between two runs of one conversation there is a moment without any
   * @throws the refusal when the stream is closed
   */
  async function afterTheEnd<C extends CommandMeta>({
    workflowId,
    command,
    closed,
    start,
  }: SendCommand<C>): Promise<CommandAnswer | undefined> {
    const answer = await answerOf(workflowId, command.id);
    // The one that took the command was just ending: the next try starts another.
    if (answer || start?.again || (await isOpen(workflowId))) return answer;
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
  const { workflowType, searchAttributes, again, ...rest } = start;
  const startWorkflowOperation = new WithStartWorkflowOperation(workflowType, {
    ...rest,
    workflowId,
    typedSearchAttributes: searchAttributes,
    workflowIdConflictPolicy: 'USE_EXISTING',
    // A late message must not bring a finished request back to life.
    workflowIdReusePolicy: again ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
  });
  return temporal.workflow.executeUpdateWithStart(update, { ...options, startWorkflowOperation });
}

/** Without a worker the client polls forever: the deadline turns that into an answer. */
function withinDeadline<T>(temporal: Client, deadlineMs: number, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const timed = () => temporal.withDeadline(Date.now() + deadlineMs, work);
  return signal ? temporal.withAbortSignal(signal, timed) : timed();
}

const grpcNotFound = 5;

/** No run took the command: ended, unknown, or it ended while the command was on its way. */
function isEnded(error: unknown): boolean {
  if (error instanceof WorkflowNotFoundError || error instanceof WorkflowExecutionAlreadyStartedError) return true;
  if (error instanceof ServiceError && isGrpcServiceError(error.cause)) return error.cause.code === grpcNotFound;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if ((cause as { type?: unknown }).type === 'AcceptedUpdateCompletedWorkflow') return true;
  }
  return false;
}
