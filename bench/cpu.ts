// Measures which programs use the CPU during a call. On a machine with few cores an answer takes about as long as their sum.
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds of CPU so far, by the program's name. */
export type CpuTimes = Record<string, number>;

/**
 * Adds up the CPU times of this process and of all processes below it, also of those that have ended. A process gets the name
 * given for its pid, or else the name of its program. Linux only: on other systems the result is empty.
 */
export function cpuMeter(names: Readonly<Record<number, string>>): () => CpuTimes {
  return () => {
    const times: CpuTimes = {};
    for (const { pid, program, endedMs } of family()) {
      const name = names[pid] ?? program;
      times[name] = (times[name] ?? 0) + cpuMs(pid) + endedMs;
    }
    return times;
  };
}

/** CPU times between two readings. */
export const cpuBetween = (before: CpuTimes, after: CpuTimes): CpuTimes =>
  Object.fromEntries(Object.entries(after).map(([name, ms]) => [name, Math.max(0, ms - (before[name] ?? 0))]));

const list = (folder: string): string[] => attempt(() => readdirSync(folder)) ?? [];
const read = (path: string): string => attempt(() => readFileSync(path, 'utf8')) ?? '';

/** A process may end while it is read: then undefined. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

interface Running {
  pid: number;
  program: string;
  parent: number;
  /** CPU of its children that have ended, for example of a Postgres session. */
  endedMs: number;
}

/** The kernel counts the time of ended children in ticks; Linux shows 100 of them per second (man 5 proc_pid_stat). */
const tickMs = 10;

function family(): Running[] {
  const all = new Map<number, Running>();
  for (const entry of list('/proc')) {
    const [, program, fields = ''] = /^\d+ \((.*)\) (.*)/s.exec(/^\d+$/.test(entry) ? read(`/proc/${entry}/stat`) : '') ?? [];
    // Fields 4, 16 and 17 of the manual page; `fields` begins with its field 3.
    const [parent, cutime, cstime] = [1, 13, 14].map((at) => Number(fields.split(' ')[at]));
    if (program) all.set(Number(entry), { pid: Number(entry), program, parent: parent!, endedMs: (cutime! + cstime!) * tickMs });
  }
  const isOurs = (pid: number): boolean => pid === process.pid || (all.has(pid) && isOurs(all.get(pid)!.parent));
  return [...all.values()].filter(({ pid }) => isOurs(pid));
}

/** The first number of each thread's schedstat: nanoseconds on a CPU (kernel documentation, scheduler/sched-stats). */
const cpuMs = (pid: number): number =>
  list(`/proc/${pid}/task`).reduce((ms, thread) => ms + Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0]) / 1e6, 0);
