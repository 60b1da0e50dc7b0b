// Measures whole lives of this checkout, beside another checkout or alone.
import { projectRoot } from '../src/dev/home.ts';
import { figuresOf, type Figure, type Played } from './figures.ts';
import type { RoundOrder } from './side.protocol.ts';
import { startSide, type Side } from './sides.ts';

export interface SidesOptions {
  /** Folder of the checkout "before". Without it only this checkout is measured. */
  beside?: string | undefined;
  /** Every message meets a run that is no longer in the worker's cache. */
  cold?: boolean;
  rounds?: number;
  /** Lives per round. */
  lives?: number;
}

export interface SidesResult {
  cold: boolean;
  lives: number;
  parallel: number;
  rounds: number;
  figures: Figure[];
}

/** The smallest cache for three tasks. A checkout that does not know the number of tasks runs 40, but gets one message at a time. */
const cachedRuns = 12;
const coldWorker = { WORKER_MAX_WORKFLOW_TASKS: '3', WORKER_MAX_CACHED_WORKFLOWS: String(cachedRuns) };

/** Each side has its own servers. Rounds alternate in the order A B B A, so that a change of the machine's speed hits both sides. */
export async function measureSides({ beside, cold = false, rounds = 4, lives = cold ? 40 : 32 }: SidesOptions = {}): Promise<SidesResult> {
  const parallel = cold ? 1 : 16;
  if (cold && lives <= 2 * cachedRuns) throw new Error(`A cold round needs more than ${2 * cachedRuns} lives, or runs stay in the cache.`);
  const env: Record<string, string> = cold ? coldWorker : {};
  const running: Side[] = [];
  const started = async (root: string) => {
    const side = await startSide(root, env);
    running.push(side);
    return side;
  };
  try {
    const before = beside === undefined ? undefined : await started(beside);
    const after = await started(projectRoot);
    const played: Played = {};
    for (const kind of cold ? (['cold'] as const) : (['lives', 'five'] as const)) {
      const order: RoundOrder = { kind, lives, parallel };
      const pairs = (played[kind] = [] as NonNullable<Played[typeof kind]>);
      // The first pair is a warm-up.
      for (let n = -1; n < rounds; n += 1) {
        const first = n % 2 === 0 ? await before?.play(order) : undefined;
        const own = await after.play(order);
        const other = first ?? (await before?.play(order));
        if (n >= 0) pairs.push({ after: own, ...(other && { before: other }) });
      }
    }
    return { cold, lives, parallel, rounds, figures: figuresOf(played) };
  } finally {
    await Promise.all(running.map((side) => side.stop()));
  }
}
