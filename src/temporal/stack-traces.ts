// Switches off the stack traces of promises in workflows (WORKER_STACK_TRACES). The SDK makes one for every promise, which was a third of
// the time of the workflow thread, and needs them only for the query `__stack_trace`, the "Call Stack" of the Web UI.
import { fileURLToPath } from 'node:url';
import threads from 'node:worker_threads';

const preload = fileURLToPath(new URL('no-promise-hooks.ts', import.meta.url));

/** Runs `work`. Workflow threads that the SDK starts meanwhile collect no stack traces. The SDK has no setting for that. */
export async function withoutStackTraces<T>(work: () => Promise<T>): Promise<T> {
  const { Worker } = threads;
  const shared = threads as { Worker: typeof Worker };
  shared.Worker = class extends Worker {
    constructor(...[file, options]: ConstructorParameters<typeof Worker>) {
      super(file, { ...options, execArgv: ['--import', preload] });
    }
  };
  try {
    return await work();
  } finally {
    shared.Worker = Worker;
  }
}
