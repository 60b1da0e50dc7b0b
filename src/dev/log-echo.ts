import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Say } from './progress.ts';

const mostPerLook = 5;

/** Prints the errors that a process writes into its log, shortened. @returns a function that stops the printing */
export function echoErrors(file: string, role: string, say: Say): () => void {
  let position = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  let rest = '';
  const timer = setInterval(look, 500);
  timer.unref();
  return () => clearInterval(timer);

  function look(): void {
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size < position) position = 0; // the log had grown too long and was moved away
    if (size === position) return;
    const chunk = Buffer.alloc(Math.min(size - position, 256 * 1024));
    const log = openSync(file, 'r');
    position += readSync(log, chunk, 0, chunk.length, position);
    closeSync(log);
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    const errors = lines.map(errorIn).filter((line) => line !== undefined);
    for (const line of errors.slice(0, mostPerLook)) say(`! ${role} | ${line.slice(0, 240)}`);
    if (errors.length > mostPerLook) say(`! ${role} | and ${errors.length - mostPerLook} more: see ${file}`);
  }
}

/** The message of a line that reports an error, in pino's JSON or in plain text; undefined for other lines. */
function errorIn(line: string): string | undefined {
  if (!line.startsWith('{')) return /^(Uncaught|\w*Error:|FATAL|panic:)|\[ERROR\]/.test(line) ? line : undefined;
  try {
    const { level, msg, err } = JSON.parse(line) as { level?: number; msg?: string; err?: { message?: string } };
    return (level ?? 0) >= 50 ? [msg, err?.message].filter(Boolean).join(': ') : undefined;
  } catch {
    return undefined;
  }
}
