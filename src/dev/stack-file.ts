import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ProcessRef } from './process.ts';

/** Processes of the stack in the order in which they start. They stop in the reverse order. */
export const roles = ['postgres', 'temporal', 'worker', 'api'] as const;
export type Role = (typeof roles)[number];

/** `.proxie/stack.json`: the facts about a stack that scripts need. It has mode 0600, because it contains tokens. */
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
  /** Start times of `pids`, so that no other process with the same pid is killed. */
  started: Partial<Record<Role, string>>;
  tokens: { consumer?: string; providers?: string[]; operator?: string };
}

/** Writes a private file in one step, by renaming a complete copy. Neither a reader nor a kill meets half a file. */
export function writePrivate(path: string, text: string): void {
  const aside = `${path}.${process.pid}.new`;
  writeFileSync(aside, text, { mode: 0o600 });
  chmodSync(aside, 0o600);
  renameSync(aside, path);
}

export const writeStackFile = (path: string, stack: StackFile): void => writePrivate(path, `${JSON.stringify(stack, null, 2)}\n`);
export const removeStackFile = (path: string): void => rmSync(path, { force: true });

/** The stack file of the last start, or undefined when it cannot be read. */
export function readStackFile(path: string): StackFile | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as StackFile;
  } catch {
    return undefined;
  }
}

/** The process of a role according to the stack file. */
export function processOf(stack: StackFile, role: Role): ProcessRef | undefined {
  const [pid, started] = [stack.pids[role], stack.started[role]];
  return pid === undefined || started === undefined ? undefined : { pid, started };
}
