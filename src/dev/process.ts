import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process we started. `started` tells it from another one that was given the same pid later. */
export interface ProcessRef {
  pid: number;
  started: string;
}

/** When the process with this pid was started, as an opaque text; undefined when there is none (or only its exit status is left). */
export function startedAt(pid: number): string | undefined {
  return process.platform === 'linux' ? startedOnLinux(pid) : startedByPs(pid);
}

function startedOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything, spaces and parentheses too: fields count from its end.
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

/** Whether that very process still runs: a recycled pid is somebody else's. */
export const isRunning = ({ pid, started }: ProcessRef): boolean => startedAt(pid) === started;

/** Sends a signal to that very process and to nobody else. @returns whether it was there */
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
 * Asks that very process to stop, and ends its group when it has not after `graceMs`.
 * @returns how it went
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
