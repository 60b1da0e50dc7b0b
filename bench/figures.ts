// Makes the figures of a measurement from its rounds: of one side, or of two sides with the ratio after ÷ before.
import type { MessageName } from './life.ts';
import type { Round, RoundKind } from './side.protocol.ts';
import { quantile } from './statistics.ts';

export interface Figure {
  name: string;
  before?: number;
  after: number;
  ratio?: number;
  /** The ratio of each pair of rounds, in order. */
  rounds?: number[];
}

interface Reading {
  name: string;
  kind: RoundKind;
  of(rounds: readonly Round[]): number;
  /** The figure comes from the samples of all rounds together, because one round has too few for a p99. */
  pooled?: boolean;
}

/** The middle value, or the mean of the two in the middle: an even number of rounds favours no side. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const perRound = (name: string, kind: RoundKind, of: (round: Round) => number): Reading => ({
  name,
  kind,
  of: (rounds) => median(rounds.map(of)),
});

/** Milliseconds of CPU of all programs per life, then of each program. */
const cpu = (what: string, kind: RoundKind, programs: readonly string[]): Reading[] => [
  perRound(`CPU per ${what}, ms`, kind, ({ cpuMs }) => sum(Object.values(cpuMs))),
  ...programs.map((program) => perRound(`  ${program}`, kind, ({ cpuMs }) => cpuMs[program] ?? 0)),
];

const answers = (
  what: string,
  kind: RoundKind,
  names: readonly MessageName[],
  shares: readonly number[],
  until: 'answerMs' | 'doneMs' = 'answerMs',
): Reading[] =>
  shares.map((share) => ({
    name: `${what}, p${share * 100} in ms`,
    kind,
    pooled: true,
    of: (rounds) =>
      quantile(
        rounds.flatMap((round) => names.flatMap((name) => round[until][name] ?? [])),
        share,
      ),
  }));

const warm = (programs: readonly string[]): Reading[] => [
  perRound('lifecycles per second', 'lives', ({ perSecond }) => perSecond),
  ...cpu('life', 'lives', programs),
  ...cpu('five messages', 'five', programs),
  ...answers('answer to the acceptance', 'lives', ['acceptance'], [0.5, 0.99]),
  ...answers('answer to the completion', 'lives', ['completion'], [0.5, 0.99]),
  ...answers('acceptance until the booking is confirmed', 'lives', ['acceptance'], [0.5, 0.99], 'doneMs'),
  ...answers('completion until the request is completed', 'lives', ['completion'], [0.5, 0.99], 'doneMs'),
];

const cold = (programs: readonly string[]): Reading[] => [
  ...cpu('life', 'cold', programs),
  // The start meets no run that could be evicted.
  ...answers('answer to a later message', 'cold', ['proposal', 'acceptance', 'checkIn', 'completion', 'review'], [0.5]),
  ...answers('answer to the acceptance', 'cold', ['acceptance'], [0.5]),
  ...answers('answer to the completion', 'cold', ['completion'], [0.5]),
  perRound('cache misses per life', 'cold', ({ cacheMisses }) => cacheMisses),
];

export type Played = Partial<Record<RoundKind, { after: Round; before?: Round }[]>>;

/** @param played the rounds of each kind, in order; with two sides each entry is a pair of rounds */
export function figuresOf(played: Played): Figure[] {
  const programs = new Set(Object.values(played).flatMap((pairs) => pairs.flatMap(({ after }) => Object.keys(after.cpuMs))));
  const readings = (played.cold ? cold : warm)([...programs].toSorted());
  return readings.map((reading) => figureOf(reading, played[reading.kind] ?? []));
}

function figureOf({ name, of, pooled }: Reading, pairs: readonly { after: Round; before?: Round }[]): Figure {
  const after = of(pairs.map((pair) => pair.after));
  const both = pairs.flatMap((pair) => (pair.before ? [{ after: pair.after, before: pair.before }] : []));
  if (both.length === 0) return { name, after };
  const before = of(both.map((pair) => pair.before));
  const rounds = both.map((pair) => of([pair.after]) / of([pair.before]));
  return { name, before, after, ratio: pooled ? after / before : median(rounds), rounds };
}

/** A table for people: one line per figure. */
export function tableOf(figures: readonly Figure[]): string {
  const text = (value: number | undefined) => (value === undefined ? '' : value.toFixed(value < 10 ? 2 : 1));
  const lines = figures.map(({ name, before, after, ratio, rounds }) => {
    const columns = [before, after, ratio].map((value) => text(value).padStart(9));
    return `${name.padEnd(36)}${columns.join('')}${rounds ? `   ${rounds.map((value) => value.toFixed(2)).join(', ')}` : ''}`;
  });
  return [`${''.padEnd(36)}   before    after    ratio   ratio of each round`, ...lines].join('\n');
}
