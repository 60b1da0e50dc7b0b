import { Worker } from 'node:worker_threads';
import type { Interval } from '../../domain/calendar/availability.ts';
import type { BusyOptions } from './busy.ts';
import { ImportError } from './fault.ts';

export type ThreadAnswer = { busy: Interval[] } | { fault: 'unreadable' | 'too_complex' };

const limits = { timeoutMs: 10_000, maxOldGenerationSizeMb: 256 };

/**
 * Reads a calendar in a thread of its own. A recurrence rule without end, or one that matches nothing, would block this process
 * for ever. A thread can be ended in the middle of a loop, and it has its own memory limit.
 * @throws ImportError unreadable, too_complex
 */
export async function readBusy(
  text: string,
  options: BusyOptions,
  { timeoutMs, maxOldGenerationSizeMb }: Partial<typeof limits> = {},
  signal?: AbortSignal,
): Promise<Interval[]> {
  const thread = new Worker(new URL('./busy.thread.ts', import.meta.url), {
    workerData: { text, options },
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: maxOldGenerationSizeMb ?? limits.maxOldGenerationSizeMb },
  });
  const tooLong = AbortSignal.timeout(timeoutMs ?? limits.timeoutMs);
  const ended = signal ? AbortSignal.any([signal, tooLong]) : tooLong;
  try {
    const answer = await new Promise<ThreadAnswer>((resolve, reject) => {
      thread.once('message', resolve);
      // The thread ran out of memory or stack.
      thread.once('error', () => resolve({ fault: 'too_complex' }));
      thread.once('exit', () => reject(new Error('the thread has ended without an answer')));
      ended.addEventListener('abort', () => (signal?.aborted ? reject(signal.reason as Error) : resolve({ fault: 'too_complex' })), {
        once: true,
      });
    });
    if ('fault' in answer) throw new ImportError(answer.fault);
    return answer.busy;
  } finally {
    await thread.terminate();
  }
}
