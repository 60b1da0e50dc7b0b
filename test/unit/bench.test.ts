import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { cpuBetween, cpuMeter } from '../../bench/cpu.ts';
import { figuresOf, tableOf } from '../../bench/figures.ts';
import type { Round } from '../../bench/side.protocol.ts';

const round = (perSecond: number, cpuMs: number, acceptance: number[]): Round => ({
  lives: acceptance.length,
  perSecond,
  cpuMs: { worker: cpuMs, postgres: 1 },
  answerMs: { acceptance, completion: [1] },
  doneMs: { acceptance, completion: [1] },
  cacheMisses: 0,
});
const pairs = [
  { before: round(2, 9, [10, 20]), after: round(1, 19, [20, 40]) },
  { before: round(2, 9, [10, 30]), after: round(2, 9, [20, 60]) },
  { before: round(1, 9, [10, 900]), after: round(3, 4, [20, 90]) },
];
const played = { lives: pairs, five: pairs };
const figure = (name: string, of = figuresOf(played)) => of.find((one) => one.name === name);

describe('figures of two sides', () => {
  it('a figure is the median of its rounds, and the ratio is the median of the ratios after ÷ before', () => {
    expect(figure('lifecycles per second')).toMatchObject({ before: 2, after: 2, ratio: 1, rounds: [0.5, 1, 3] });
  });

  it('given an even number of rounds, the median lies between the two in the middle', () => {
    const even = figuresOf({ lives: pairs.slice(1), five: pairs });
    expect(figure('lifecycles per second', even)).toMatchObject({ before: 1.5, after: 2.5, ratio: 2 });
  });

  it('the CPU of all programs is added up, and each program has a line of its own', () => {
    expect(figure('CPU per life, ms')).toMatchObject({ before: 10, after: 10, ratio: 1, rounds: [2, 1, 0.5] });
    expect(figure('  worker')).toMatchObject({ before: 9, after: 9 });
  });

  it('answers of all rounds together give p50 and p99', () => {
    expect(figure('answer to the acceptance, p50 in ms')).toMatchObject({ before: 10, after: 20, ratio: 2, rounds: [2, 2, 2] });
    expect(figure('answer to the acceptance, p99 in ms')).toMatchObject({ before: 900, after: 90, ratio: 0.1, rounds: [2, 2, 0.1] });
  });

  it('given one side, there is no ratio', () => {
    const alone = figuresOf({ cold: pairs.map(({ after }) => ({ after })) });
    expect(figure('CPU per life, ms', alone)).toEqual({ name: 'CPU per life, ms', after: 10 });
    expect(tableOf(alone)).toContain('cache misses per life');
  });
});

describe('the CPU meter', () => {
  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux('counts a process that has ended in between', () => {
    const meter = cpuMeter({ [process.pid]: 'this' });
    const busyMs = 200;
    const measured = (script: string) => {
      const before = meter();
      execFileSync(process.execPath, ['-e', script], { env: {} });
      return cpuBetween(before, meter()).this!;
    };
    const idle = measured('');
    expect(measured(`const end = Date.now() + ${busyMs}; while (Date.now() < end);`) - idle).toBeGreaterThan(busyMs / 4);
  });
});
