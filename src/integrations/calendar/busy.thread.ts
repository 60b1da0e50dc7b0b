// The thread a stranger's calendar is read in: see reader.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { busyTimes, TooComplex } from './busy.ts';
import type { BusyOptions } from './busy.ts';
import type { ThreadAnswer } from './reader.ts';

const { text, options } = workerData as { text: string; options: BusyOptions };

function answer(): ThreadAnswer {
  try {
    return { busy: busyTimes(text, options) };
  } catch (error) {
    // Whatever it is (a parser's error, a date that does not exist), the text caused it.
    return { fault: error instanceof TooComplex ? 'too_complex' : 'unreadable' };
  }
}

parentPort!.postMessage(answer());
