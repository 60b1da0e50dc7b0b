import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. Not the working directory: tools may be started from anywhere. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Where one stack keeps what is its own. Two stacks with two homes share nothing that is written to. */
export function homePaths(home: string) {
  const root = resolve(projectRoot, home);
  return {
    root,
    logs: join(root, 'logs'),
    stackFile: join(root, 'stack.json'),
    lockFile: join(root, 'supervisor.lock'),
    secrets: join(root, 'secrets.json'),
    bin: join(root, 'bin'),
    postgres: join(root, 'postgres'),
    temporal: join(root, 'temporal'),
  };
}
export type HomePaths = ReturnType<typeof homePaths>;

/** The folder itself stays passable: under root, Postgres runs as another user and has its data in it. Files with secrets are 0600. */
export function makeHome({ root, logs }: HomePaths): void {
  mkdirSync(root, { recursive: true });
  mkdirSync(logs, { recursive: true, mode: 0o700 });
}

/** Executables fetched once per user, for all homes and test runs. Each is checked against its hash before every use. */
export function executableCache(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), '.cache'), 'proxie', 'bin');
}

/** A short, stable name for a path. */
export const nameOf = (path: string): string => createHash('sha256').update(path).digest('hex').slice(0, 12);
