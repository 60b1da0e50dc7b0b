import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackError, type Say } from './progress.ts';
import { isRunning, refTo, stopProcess, type ProcessRef } from './process.ts';
import type { Role } from './stack-file.ts';

/** How to start, watch and stop one process of the stack. */
export interface ManagedSpec {
  role: Role;
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  uid?: number;
  gid?: number;
  logFile: string;
  /** Asked every 50 ms until it returns true. */
  isReady(): Promise<boolean>;
  /** The condition of `isReady` in words, e.g. "GET /health/ready to answer 200". */
  waitsFor: string;
  readyWithinMs: number;
  stopSignal: NodeJS.Signals;
  /** Milliseconds the process may take to drain before it is killed. */
  graceMs: number;
}

export interface Managed {
  readonly spec: ManagedSpec;
  /** The running process, undefined while none runs. */
  readonly current: ProcessRef | undefined;
  /**
   * Resolves when the process is ready. From then on it is restarted whenever it ends.
   * @throws StackError with the last lines of its log
   */
  start(): Promise<void>;
  /** Resolves when the process has ended and `onChange` was called. `onChange` is not called afterwards. */
  stop(): Promise<void>;
}

const firstPauseMs = 250;
const longestPauseMs = 10_000;
/** A process that ran this many milliseconds has recovered: the next pause before a restart is short again. */
const stableAfterMs = 30_000;

/**
 * Keeps one process running. The process has its own process group, so Ctrl-C in the terminal reaches only this supervisor,
 * which stops all processes in order. Its output goes straight to a file, so that it can go on writing when the supervisor is
 * killed.
 * @param onChange called synchronously after every start and end
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
    // `isReady` may have got its answer from another process on the same port. The answer counts only if this process still
    // runs.
    if (child === undefined) throw new StackError(`${spec.role} ended while it was becoming ready.${lastWords(spec.logFile)}`);
    ready = true;
  }

  async function kill(): Promise<void> {
    const ref = current;
    if (!ref) return;
    const how = await stopProcess(ref, spec.stopSignal, spec.graceMs);
    if (how === 'killed') say(`! ${spec.role} did not stop within ${spec.graceMs / 1_000} s and was killed`);
    // The process is gone a moment before Node reports it. `onChange` must be called first, because the caller may then remove
    // the files that `onChange` writes.
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

/** Opens the log for appending. A log of more than 20 MB is renamed first. */
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
