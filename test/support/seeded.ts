import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '../..');
const node = join(repository, 'node_modules/.bin/node');

export interface SeededTree extends Disposable {
  path: string;
  /** Runs a tool of the repository inside the tree. */
  run(tool: string, ...args: string[]): { status: number | null; stdout: string; stderr: string };
}

/**
 * A temporary repository with our own `configs` and the given files. Violations that a check must find are written there and
 * never into this repository.
 */
export function seededTree(configs: readonly string[], files: Record<string, string>): SeededTree {
  const path = mkdtempSync(join(tmpdir(), 'proxie-seeded-'));
  for (const config of configs) cpSync(join(repository, config), join(path, config), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(path, 'node_modules'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return {
    path,
    run(tool, ...args) {
      const script = tool.startsWith('scripts/') ? join(repository, tool) : join(path, 'node_modules/.bin', tool);
      const env = { ...process.env, NODE_OPTIONS: '', PATH: `${dirname(node)}:${process.env.PATH}`, FORCE_COLOR: '0' };
      const [command, ...rest] = tool.startsWith('scripts/') ? [node, script, ...args] : [script, ...args];
      return spawnSync(command!, rest, { cwd: path, env, encoding: 'utf8', timeout: 60_000 });
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
