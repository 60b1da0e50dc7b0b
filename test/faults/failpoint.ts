// Named points at which a process dies. A test arms points in a folder. A process that reaches an armed point takes the point, so
// that it fires only once, and is killed there. Nothing in src knows of this: failpoint.hook.ts wraps the worker of a test.
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Failpoints {
  /** A point is `before:` or `after:` and a step. With `@` and a workflow id at the end, only this run reaches the point. */
  arm(...points: string[]): void;
  /** Armed points that no process has reached. */
  armed(): string[];
  /** Points at which a process has died. */
  hit(): string[];
  /** Removes all armed points. */
  disarm(): void;
  /** Moves a point from armed to hit. Of several processes that try, one succeeds. @returns whether this process did */
  take(point: string): boolean;
}

export function failpoints(folder: string): Failpoints {
  const [armed, hit] = [join(folder, 'armed'), join(folder, 'hit')];
  for (const path of [armed, hit]) mkdirSync(path, { recursive: true });
  const fileOf = encodeURIComponent;
  const list = (path: string) => readdirSync(path).map(decodeURIComponent).sort();
  const take = (point: string) => {
    try {
      renameSync(join(armed, fileOf(point)), join(hit, fileOf(point)));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  };
  return {
    arm: (...points) => points.forEach((point) => writeFileSync(join(armed, fileOf(point)), '')),
    armed: () => list(armed),
    hit: () => list(hit),
    disarm: () => list(armed).forEach((point) => rmSync(join(armed, fileOf(point)), { force: true })),
    take,
  };
}

/** One kill serves all runs that reach their points at about the same time. They wait at their points until the kill (milliseconds). */
const [quietMs, longestMs] = [4_000, 8_000];

type Step = (...input: any[]) => Promise<unknown>;

/**
 * Wraps steps, so that the process can die before and after each of them.
 * @param whose returns the workflow id of the run that takes the step
 */
export function withFailpoints<S extends object>(
  steps: S,
  { points, whose, die }: { points: Pick<Failpoints, 'take' | 'armed'>; whose: () => string; die: () => void },
): S {
  let quiet: NodeJS.Timeout | undefined;
  let longest: NodeJS.Timeout | undefined;

  async function pass(when: 'before' | 'after', names: string[]): Promise<void> {
    if (names.map((name) => points.take(`${when}:${name}`)).every((taken) => !taken)) return;
    clearTimeout(quiet);
    quiet = setTimeout(die, quietMs);
    longest ??= setTimeout(die, longestMs);
    if (points.armed().length === 0) die();
    await new Promise(() => {}); // The step stops here until the process is killed.
  }

  const entries = Object.entries(steps as Record<string, Step>).map(([name, run]): [string, Step] => [
    name,
    async (...input) => {
      const names = namesOf(name, input[0]).flatMap((step) => [step, `${step}@${whose()}`]);
      await pass('before', names);
      const result = await run(...input);
      await pass('after', names);
      return result;
    },
  ]);
  return Object.fromEntries(entries) as S;
}

interface Written {
  events?: { type: string }[];
  also?: Written[];
}

/** Names of a step. An append has one name for each event that it writes, on whichever stream. */
const namesOf = (name: string, input?: Written): string[] =>
  input?.events ? [input, ...(input.also ?? [])].flatMap(({ events = [] }) => events.map(({ type }) => `${name}:${type}`)) : [name];
