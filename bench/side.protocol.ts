// What the bench and the process of one side tell each other.
import type { CpuTimes } from './cpu.ts';
import type { MessageName } from './life.ts';

/** `lives` and `five` play many lives at once; `cold` has one message under way at a time. */
export type RoundKind = 'lives' | 'five' | 'cold';

export interface RoundOrder {
  kind: RoundKind;
  lives: number;
  /** Lives at once; a cold round plays its lives in turn. */
  parallel: number;
}

export interface Round {
  lives: number;
  perSecond: number;
  /** Milliseconds of CPU per life, by program, without the driver. */
  cpuMs: CpuTimes;
  /** Milliseconds until the answer, by message. */
  answerMs: Partial<Record<MessageName, number[]>>;
  /** Milliseconds until the rows show what a message leads to, e.g. the confirmed booking. */
  doneMs: Partial<Record<MessageName, number[]>>;
  /** Times per life that the worker had to read a run's history, because the run was not in its cache. */
  cacheMisses: number;
}

export type FromSide = { is: 'ready' } | { is: 'played'; round: Round } | { is: 'failed'; why: string };
