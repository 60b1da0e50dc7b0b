import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ConfigError, loadStackConfig, type StackConfig } from '../config.ts';
import { playDemo } from './demo.ts';
import { homePaths, makeHome } from './home.ts';
import { takeLock } from './lock.ts';
import { isRunning, type ProcessRef } from './process.ts';
import { StackError, toTerminal, type Say } from './progress.ts';
import { createStack } from './stack.ts';
import { readStackFile, type StackFile } from './stack-file.ts';
import { printTable } from './table.ts';

const known = ['--demo', '--exit', '--detach', '--supervise'] as const;
const usage = `npm start [-- [--demo [--exit]] [--detach]]
  --demo          when everything runs, play one whole request and print its timeline
  --demo --exit   then stop again; the exit code is 0 only when the request was completed
  --detach        return when everything runs; npm stop drains it
PROXIE_HOME and the ports of .env.example let several stacks run side by side.`;

/** Messages from a detached supervisor to the waiting start. */
type Report = { line: string } | { ended: 'ready' | 'failed' };

async function main(args: readonly string[]): Promise<number> {
  const strange = args.find((arg) => !known.some((flag) => flag === arg));
  if (strange !== undefined) throw new StackError(`Unknown argument ${strange}.\n${usage}`);
  const flags = { demo: args.includes('--demo'), exit: args.includes('--exit'), detach: args.includes('--detach') };
  if (flags.exit && !flags.demo) throw new StackError(`--exit goes with --demo.\n${usage}`);
  const config = loadStackConfig();
  if (flags.demo && config.environment === 'production') throw new StackError('--demo needs demo tokens, which production does not have.');
  if (flags.detach) return detached(config, flags.demo);
  return supervise(config, { ...flags, background: args.includes('--supervise') });
}

/** Runs the stack in this process until a signal comes, or until the demo is over. */
async function supervise(
  config: StackConfig,
  { demo, exit, background }: { demo: boolean; exit: boolean; background: boolean },
): Promise<number> {
  const paths = homePaths(config.home);
  makeHome(paths);
  const say: Say = background ? report : toTerminal;
  const holder = takeLock(paths.lockFile);
  if (holder) return alreadyRunning(paths.stackFile, holder, demo, say);

  const stack = createStack(config, say);
  const stopped = untilSignal(say);
  try {
    await Promise.race([stack.start(), stopped]);
    if (stopped.signal) return await drained();
    printTable(stack.file, paths.stackFile, say);
    if (background) process.send?.({ ended: 'ready' } satisfies Report);
    else if (!exit) say('  Ctrl-C stops it.');
    const completed = demo ? await Promise.race([playDemo(stack.file, say), stopped.then(() => false)]) : true;
    if (exit) return await drained(completed ? 0 : 1);
    await stopped;
    return await drained();
  } catch (error) {
    showError(error, say);
    return await drained(1);
  }

  async function drained(code = 0): Promise<number> {
    await stack.stop();
    if (background && code !== 0) process.send?.({ ended: 'failed' } satisfies Report);
    return code;
  }

  /** Sends a line to the waiting start, and to our own log once that start has ended. */
  function report(line: string): void {
    process.stdout.write(`${line}\n`);
    if (process.connected) process.send?.({ line } satisfies Report);
  }
}

/** Another process runs the stack of this home: waits until it is ready and shows it. */
async function alreadyRunning(stackFile: string, holder: ProcessRef, demo: boolean, say: Say): Promise<number> {
  say(`This stack runs already (pid ${holder.pid}); npm stop drains it.`);
  const file = await readyFile(stackFile, holder, say);
  printTable(file, stackFile, say);
  return demo && !(await playDemo(file, say)) ? 1 : 0;
}

async function readyFile(stackFile: string, holder: ProcessRef, say: Say): Promise<StackFile> {
  for (let waited = 0; ; waited += 100) {
    const file = readStackFile(stackFile);
    if (file?.state === 'ready' && file.supervisor.pid === holder.pid) return file;
    if (!isRunning(holder)) throw new StackError('It ended while starting. Start again to see why.');
    if (waited % 5_000 === 0) say(`  waiting for it to be ready (it is ${file?.state ?? 'starting'})`);
    await sleep(100);
  }
}

/** Starts a supervisor that outlives this process, shows its progress, and returns when it is ready. */
async function detached(config: StackConfig, demo: boolean): Promise<number> {
  const paths = homePaths(config.home);
  makeHome(paths);
  const log = openSync(join(paths.logs, 'supervisor.log'), 'a', 0o600);
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--supervise'], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  const forward = () => child.kill('SIGTERM');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, forward);
  const ready = await new Promise<boolean>((resolve) => {
    child.on('message', (message) => {
      const report = message as Report;
      if ('line' in report) toTerminal(report.line);
      else resolve(report.ended === 'ready');
    });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
  if (child.connected) child.disconnect();
  child.unref();
  if (!ready) return 1;
  const file = readStackFile(paths.stackFile);
  if (!file) return 1;
  toTerminal(`  It runs in the background (pid ${file.supervisor.pid}); npm stop drains it.`);
  return demo && !(await playDemo(file, toTerminal)) ? 1 : 0;
}

/**
 * Resolves at the first signal. Another signal later than 1.5 s ends the process at once; an earlier one may come from the same
 * key press.
 */
function untilSignal(say: Say): Promise<void> & { signal?: NodeJS.Signals } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const result: Promise<void> & { signal?: NodeJS.Signals } = promise;
  let firstAt = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (firstAt === 0) {
        firstAt = Date.now();
        result.signal = signal;
        say(`\n${signal}: draining; what is in flight is finished first (again in a moment to give up waiting)`);
        resolve();
      } else if (Date.now() - firstAt > 1_500) {
        say('Not waiting any longer: the next start or npm stop cleans up.');
        process.exit(1);
      }
    });
  }
  return result;
}

function showError(error: unknown, say: Say): void {
  const plain = error instanceof StackError || error instanceof ConfigError;
  say(`\n✗ ${plain ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
}

// A closed terminal must not keep the process from draining.
process.stdout.on('error', () => undefined);
main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    showError(error, (line) => process.stderr.write(`${line}\n`));
    process.exit(1);
  },
);
