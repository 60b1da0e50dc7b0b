import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. The working directory may be another one, because tools can be started from anywhere. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** The paths of one stack's own files. Two stacks with two homes share no file that is written to. */
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

/**
 * Makes the folders of a home. The home itself can be passed through by every user: under root, Postgres runs as another user
 * and has its data in it. Files with secrets have mode 0600.
 */
export function makeHome({ root, logs }: HomePaths): void {
  mkdirSync(root, { recursive: true });
  mkdirSync(logs, { recursive: true, mode: 0o700 });
}

/**
 * The folder of downloaded executables, shared by all homes and test runs of a user. Each is checked against its hash before
 * every use.
 */
export function executableCache(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), '.cache'), 'proxie', 'bin');
}

/** A short, stable name for a path. */
export const nameOf = (path: string): string => createHash('sha256').update(path).digest('hex').slice(0, 12);
