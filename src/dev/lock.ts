import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isRunning, refTo, type ProcessRef } from './process.ts';

/**
 * Makes this process the only one that runs the stack of a home. The lock of a process that has ended does not count.
 * @returns undefined when this process holds the lock, else the process that holds it
 */
export function takeLock(path: string): ProcessRef | undefined {
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, JSON.stringify(refTo(process.pid)), { mode: 0o600 });
  try {
    for (;;) {
      // Linking is atomic, and it fails when the lock exists.
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

/**
 * Removes a stale lock. Another process may have taken the lock in the meantime, so the moved file is checked again and put
 * back if its process runs.
 */
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
