import { NativeConnection, Worker, type NativeConnectionOptions } from '@temporalio/worker';
import type { TaskQueue } from '../contracts/queues.ts';
import { dataConverter } from './data-converter.ts';
import { withoutStackTraces } from './stack-traces.ts';

export interface WorkersOptions {
  connectionOptions: NativeConnectionOptions;
  namespace?: string;
  queues: readonly TaskQueue[];
  activities: Record<TaskQueue, object>;
  /** Prebuilt code of src/workflows (temporal/bundle.ts). */
  workflowBundle: { code: string };
  /** Milliseconds that running activities may take to finish after a stop signal. */
  shutdownGraceMs: number;
  /** Workflow tasks that may run at once. */
  maxWorkflowTasks: number;
  /** At least four times `maxWorkflowTasks`; src/config.ts says why. */
  maxCachedWorkflows: number;
  /** Whether workflows collect stack traces of their promises, for the query `__stack_trace`. */
  stackTraces: boolean;
}

export interface Workers {
  /** Resolves when all workers have drained; rejects when one has failed. */
  run(): Promise<void>;
  shutdown(): void;
  isRunning(): boolean;
  close(): Promise<void>;
}

/** Makes one worker per task queue over one connection. Workflows run on `proxie` only. */
export async function createWorkers(options: WorkersOptions): Promise<Workers> {
  const { connectionOptions, namespace, queues, activities, workflowBundle, shutdownGraceMs } = options;
  const { maxWorkflowTasks, maxCachedWorkflows, stackTraces } = options;
  const connection = await NativeConnection.connect(connectionOptions);
  const create = () =>
    Promise.all(
      queues.map((taskQueue) =>
        Worker.create({
          connection,
          namespace,
          taskQueue,
          activities: activities[taskQueue],
          dataConverter: dataConverter(),
          // The default grace is zero, so a deploy would cancel every running activity.
          shutdownGraceTime: shutdownGraceMs,
          shutdownForceTime: shutdownGraceMs + 5_000,
          ...(taskQueue === 'proxie' ? { workflowBundle, maxConcurrentWorkflowTaskExecutions: maxWorkflowTasks, maxCachedWorkflows } : {}),
        }),
      ),
    );
  const workers = await (stackTraces ? create() : withoutStackTraces(create));
  return {
    async run() {
      await Promise.all(
        workers.map((worker) =>
          worker.run().catch((error) => {
            for (const other of workers) if (other.getState() === 'RUNNING') other.shutdown();
            throw error;
          }),
        ),
      );
    },
    shutdown() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
    isRunning: () => workers.every((worker) => worker.getState() === 'RUNNING'),
    close: () => connection.close(),
  };
}
