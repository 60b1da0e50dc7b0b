import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackError, type Say } from './progress.ts';
import { isRunning, refTo, stopProcess, type ProcessRef } from './process.ts';
import type { Role } from './stack-file.ts';

/** How one process of the stack is started, watched and stopped. */
export interface ManagedSpec {
  role: Role;
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  uid?: number;
  gid?: number;
  logFile: string;
  /** Asked every 50 ms until it says yes. */
  isReady(): Promise<boolean>;
  /** What a person would call that, e.g. "GET /health/ready to answer 200". */
  waitsFor: string;
  readyWithinMs: number;
  stopSignal: NodeJS.Signals;
  /** How long it may take to drain before it is killed. */
  graceMs: number;
}

export interface Managed {
  readonly spec: ManagedSpec;
  /** The running process, undefined while it is down. */
  readonly current: ProcessRef | undefined;
  /** Resolves when it is ready; from then on it is restarted whenever it dies. @throws StackError with its last words */
  start(): Promise<void>;
  /** Resolves when it is gone and `onChange` was told so: nothing is called afterwards. */
  stop(): Promise<void>;
}

const firstPauseMs = 250;
const longestPauseMs = 10_000;
/** A process that ran this long has recovered: the next pause is short again. */
const stableAfterMs = 30_000;

/**
 * Keeps one process running. It gets a process group of its own: Ctrl-C in the terminal reaches only us, and we stop things in order.
 * Its output goes straight to a file, so that it does not break when we are killed.
 * @param onChange called right after every start and end, before anything else can happen
 */
export function managed(spec: ManagedSpec, say: Say, onChange: () => void): Managed {
  let child: ChildProcess | undefined;
  let current: ProcessRef | undefined;
  let end = Promise.withResolvers<void>();
  let wanted = false;
  let ready = false;
  let startedAtMs = 0;
  let pauseMs = firstPauseMs;
  let pending = new AbortController();

  function launch(): void {
    const log = openLog(spec.logFile);
    try {
      child = spawn(spec.command, [...spec.args], {
        cwd: spec.cwd,
        env: { ...spec.env },
        detached: true,
        stdio: ['ignore', log, log],
        ...(spec.uid === undefined ? {} : { uid: spec.uid, gid: spec.gid }),
      });
    } finally {
      closeSync(log);
    }
    startedAtMs = Date.now();
    end = Promise.withResolvers();
    current = child.pid === undefined ? undefined : refTo(child.pid);
    onChange();
    child.once('error', (error) => ended(error.message));
    child.once('exit', (code, signal) => ended(signal ?? `code ${code}`));
  }

  function ended(how: string): void {
    if (child === undefined) return;
    child = undefined;
    current = undefined;
    onChange();
    end.resolve();
    if (wanted && ready) void restart(how);
  }

  async function restart(how: string): Promise<void> {
    ready = false;
    if (Date.now() - startedAtMs > stableAfterMs) pauseMs = firstPauseMs;
    const pause = pauseMs;
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    say(`! ${spec.role} ended (${how}); starting it again in ${pause} ms. Its log: ${spec.logFile}`);
    for (const line of lastLines(spec.logFile, 3)) say(`  ${spec.role} | ${line}`);
    try {
      await sleep(pause, undefined, { signal: pending.signal });
      if (!wanted) return;
      launch();
      await untilReady();
      say(`✓ ${spec.role} is back`);
    } catch (error) {
      if (!wanted) return;
      await kill();
      await restart(error instanceof StackError ? 'it did not become ready' : String(error));
    }
  }

  async function untilReady(): Promise<void> {
    const until = Date.now() + spec.readyWithinMs;
    for (;;) {
      if (child === undefined) throw new StackError(`${spec.role} ended before it was ready.${lastWords(spec.logFile)}`);
      if (await spec.isReady().catch(() => false)) break;
      if (Date.now() > until)
        throw new StackError(
          `${spec.role}: waited ${spec.readyWithinMs / 1_000} s in vain for ${spec.waitsFor}.${lastWords(spec.logFile)}`,
        );
      await sleep(50, undefined, { signal: pending.signal });
    }
    // It answered and is still there: then it was not a stranger on the same port.
    if (child === undefined) throw new StackError(`${spec.role} ended while it was becoming ready.${lastWords(spec.logFile)}`);
    ready = true;
  }

  async function kill(): Promise<void> {
    const ref = current;
    if (!ref) return;
    const how = await stopProcess(ref, spec.stopSignal, spec.graceMs);
    if (how === 'killed') say(`! ${spec.role} did not stop within ${spec.graceMs / 1_000} s and was killed`);
    // The system knows it is gone a moment before Node tells us, and who waits for the stop may remove what `onChange` writes.
    if (!isRunning(ref)) await end.promise;
  }

  return {
    spec,
    get current() {
      return current;
    },
    async start() {
      wanted = true;
      pending = new AbortController();
      launch();
      try {
        await untilReady();
      } catch (error) {
        wanted = false;
        await kill();
        throw error;
      }
    },
    async stop() {
      wanted = false;
      pending.abort();
      await kill();
    },
  };
}

/** Appends; a log that has grown beyond 20 MB is put aside first. */
function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 20_000_000) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}

export function lastLines(path: string, count: number): string[] {
  try {
    return readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .filter(Boolean)
      .slice(-count)
      .map((line) => line.slice(0, 300));
  } catch {
    return [];
  }
}

const lastWords = (path: string): string =>
  `\nThe end of its log (${path}):\n${lastLines(path, 12)
    .map((line) => `  | ${line}`)
    .join('\n')}`;
