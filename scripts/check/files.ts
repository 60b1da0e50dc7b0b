import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const skipped = new Set(['node_modules', '.git', '.proxie', 'dist', 'coverage']);

/** Files below the given folders whose path matches, relative to `root`, in a stable order. */
export function filesBelow(root: string, folders: readonly string[], matching: RegExp): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesBelow(root, [path], matching);
        return entry.isFile() && matching.test(path) ? [path] : [];
      }),
    )
    .sort();
}

/** The files that git tracks or would add. Outside a checkout (an archive, an image): all files but the usual build output. */
export function repositoryFiles(root: string): string[] {
  const { status, stdout } = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0 || !stdout) return filesBelow(root, ['.'], /./);
  return stdout
    .split('\0')
    .filter((path) => path && existsSync(join(root, path)) && statSync(join(root, path)).isFile())
    .sort();
}
