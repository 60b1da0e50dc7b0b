import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isRunning, refTo, type ProcessRef } from './process.ts';

/**
 * Makes this process the only one that runs the stack of a home.
 * @returns undefined when we hold the lock, else the process that does; the lock of a process that is gone counts for nothing
 */
export function takeLock(path: string): ProcessRef | undefined {
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, JSON.stringify(refTo(process.pid)), { mode: 0o600 });
  try {
    for (;;) {
      // A link appears whole or not at all, and only where nothing is.
      if (tryLink(aside, path)) return undefined;
      const holder = holderOf(path);
      if (holder && isRunning(holder)) return holder;
      putAside(path);
    }
  } finally {
    rmSync(aside, { force: true });
  }
}

export const releaseLock = (path: string): void => rmSync(path, { force: true });

export function holderOf(path: string): ProcessRef | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessRef;
  } catch {
    return undefined;
  }
}

/** Removes a stale lock, but not the fresh one of somebody who was quicker: what was moved is looked at once more. */
function putAside(path: string): void {
  const stale = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, stale);
  } catch {
    return;
  }
  const holder = holderOf(stale);
  if (holder && isRunning(holder)) tryLink(stale, path);
  rmSync(stale, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
