import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ProcessRef } from './process.ts';

/** What runs as a process of its own, in the order of starting; stopping goes the other way. */
export const roles = ['postgres', 'temporal', 'worker', 'api'] as const;
export type Role = (typeof roles)[number];

/** `.proxie/stack.json`: what scripts need to know about a stack. Mode 0600, for it holds tokens. */
export interface StackFile {
  state: 'starting' | 'ready' | 'stopping';
  home: string;
  supervisor: ProcessRef;
  urls: {
    api?: string;
    docs?: string;
    temporalUi?: string;
    temporal?: string;
    temporalNamespace?: string;
    database?: string;
    jwks?: string;
    token?: string;
    workerMetrics?: string;
  };
  ports: Partial<Record<Role | 'temporalUi' | 'issuer' | 'workerMetrics', number>>;
  pids: Partial<Record<Role, number>>;
  /** When each of `pids` was started, so that nobody kills a stranger who was given the same pid. */
  started: Partial<Record<Role, string>>;
  tokens: { consumer?: string; providers?: string[]; operator?: string };
}

/** Written aside and renamed: a reader never sees half of it, nor does a kill leave half of it. */
export function writePrivate(path: string, text: string): void {
  const aside = `${path}.${process.pid}.new`;
  writeFileSync(aside, text, { mode: 0o600 });
  chmodSync(aside, 0o600);
  renameSync(aside, path);
}

export const writeStackFile = (path: string, stack: StackFile): void => writePrivate(path, `${JSON.stringify(stack, null, 2)}\n`);
export const removeStackFile = (path: string): void => rmSync(path, { force: true });

/** What the last start wrote, or undefined when there is nothing to read. */
export function readStackFile(path: string): StackFile | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as StackFile;
  } catch {
    return undefined;
  }
}

/** The process of a role, as it was when the file was written. */
export function processOf(stack: StackFile, role: Role): ProcessRef | undefined {
  const [pid, started] = [stack.pids[role], stack.started[role]];
  return pid === undefined || started === undefined ? undefined : { pid, started };
}
