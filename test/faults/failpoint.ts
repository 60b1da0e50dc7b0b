// Named points at which a process dies. A test arms them in a folder; the process that gets to one takes it, so it fires once in
// all, and is killed on the spot. Nothing of this is in src: failpoint.hook.ts wraps a worker that a test has started.
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Failpoints {
  /** `before:` or `after:` and a step; with `@` and a workflow id behind it, only of that run. */
  arm(...points: string[]): void;
  /** Armed, and nobody has been there yet. */
  armed(): string[];
  /** Where somebody has died. */
  hit(): string[];
  /** Forgets all that are armed. */
  disarm(): void;
  /** Moves a point from armed to hit. Of all who try one succeeds. */
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

/** One kill serves all who come to their points soon after one another: they stay where they are until then. */
const [quietMs, longestMs] = [4_000, 8_000];

type Step = (...input: any[]) => Promise<unknown>;

/**
 * The same steps, which may die before they begin and after they are done.
 * @param whose the run that takes the step
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
    await new Promise(() => {}); // nothing happens here any more
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

/** An append is named after each event that it writes. */
const namesOf = (name: string, input?: { events?: { type: string }[] }): string[] =>
  input?.events?.map(({ type }) => `${name}:${type}`) ?? [name];
