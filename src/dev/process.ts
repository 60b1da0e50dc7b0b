import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process. `started` tells it from a later process with the same pid. */
export interface ProcessRef {
  pid: number;
  started: string;
}

/**
 * The start time of the process with this pid, as an opaque text; undefined when there is none, or when only its exit status is
 * left.
 */
export function startedAt(pid: number): string | undefined {
  return process.platform === 'linux' ? startedOnLinux(pid) : startedByPs(pid);
}

function startedOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may contain spaces and parentheses, so the fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, started] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${started}`;
  } catch {
    return undefined;
  }
}

function startedByPs(pid: number): string | undefined {
  try {
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() ||
      undefined
    );
  } catch {
    return undefined;
  }
}

export function refTo(pid: number): ProcessRef | undefined {
  const started = startedAt(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether this process still runs. Another process with the same pid does not count. */
export const isRunning = ({ pid, started }: ProcessRef): boolean => startedAt(pid) === started;

/** Sends a signal to this process, never to another one with the same pid. @returns whether the process was there */
export function signal(ref: ProcessRef, name: NodeJS.Signals, wholeGroup = false): boolean {
  if (!isRunning(ref)) return false;
  try {
    process.kill(wholeGroup ? -ref.pid : ref.pid, name);
    return true;
  } catch {
    return false;
  }
}

/**
 * Asks a process to stop, and kills its group when it still runs after `graceMs`.
 * @returns `gone` when it was not there, else how it ended
 */
export async function stopProcess(ref: ProcessRef, name: NodeJS.Signals, graceMs: number): Promise<'gone' | 'stopped' | 'killed'> {
  if (!signal(ref, name)) return 'gone';
  if (await goneWithin(ref, graceMs)) return 'stopped';
  signal(ref, 'SIGKILL', true);
  signal(ref, 'SIGKILL');
  await goneWithin(ref, 5_000);
  return 'killed';
}

export async function goneWithin(ref: ProcessRef, ms: number): Promise<boolean> {
  const until = Date.now() + ms;
  while (isRunning(ref)) {
    if (Date.now() >= until) return false;
    await sleep(25);
  }
  return true;
}
