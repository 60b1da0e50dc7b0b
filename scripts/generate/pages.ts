import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errorCodesMarkdown, openApiJson } from '../../src/api/http/generate.ts';
import { bookingUpdates } from '../../src/contracts/booking.messages.ts';
import type { Machine } from '../../src/domain/machine.ts';
import { machines, verbTables } from '../../src/domain/machines.ts';
import { stateMachinesPage } from './state-machines.ts';
import { type VerbTable, verbsPage } from './verbs.ts';

const root = resolve(import.meta.dirname, '../..');

/** A committed file whose text is made from the code. */
export interface Page {
  path: string;
  print: () => string;
}

export const pages: readonly Page[] = [
  {
    path: 'docs/generated/state-machines.md',
    print: () => stateMachinesPage(machines as unknown as readonly Machine<string, string, string>[]),
  },
  { path: 'docs/generated/error-codes.md', print: errorCodesMarkdown },
  { path: 'docs/generated/openapi.json', print: openApiJson },
  { path: 'docs/generated/verbs.md', print: () => verbsPage(verbTables as unknown as readonly VerbTable[], { booking: bookingUpdates }) },
];

export interface Drift {
  path: string;
  problem: 'missing' | 'differs';
}

/** Names of the pages whose committed text differs from the text that the code makes. */
export function drifts(list: readonly Page[] = pages, below: string = root): Drift[] {
  return list.flatMap(({ path, print }): Drift[] => {
    const file = join(below, path);
    if (!existsSync(file)) return [{ path, problem: 'missing' }];
    return readFileSync(file, 'utf8') === print() ? [] : [{ path, problem: 'differs' }];
  });
}

export function write(list: readonly Page[] = pages, below: string = root): string[] {
  return list.map(({ path, print }) => {
    mkdirSync(dirname(join(below, path)), { recursive: true });
    writeFileSync(join(below, path), print());
    return path;
  });
}
