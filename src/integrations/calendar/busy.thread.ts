// The thread that reads an external calendar: see reader.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { busyTimes, TooComplex } from './busy.ts';
import type { BusyOptions } from './busy.ts';
import type { ThreadAnswer } from './reader.ts';

const { text, options } = workerData as { text: string; options: BusyOptions };

function answer(): ThreadAnswer {
  try {
    return { busy: busyTimes(text, options) };
  } catch (error) {
    // Every error here comes from the text: a parser's error, or a date that does not exist.
    return { fault: error instanceof TooComplex ? 'too_complex' : 'unreadable' };
  }
}

parentPort!.postMessage(answer());
