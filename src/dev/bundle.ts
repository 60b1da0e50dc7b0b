import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { projectRoot } from './home.ts';
import { StackError, step, type Say } from './progress.ts';

const run = promisify(execFile);
const builder = fileURLToPath(new URL('./bundle.build.ts', import.meta.url));

/** The files that decide about the bundle: its sources, and the lock file, which pins the packages. */
const sources = ['src/workflows', 'src/domain', 'src/contracts', 'src/temporal', 'package-lock.json'];

/**
 * The workflow code for the worker, built once per state of its sources. A worker that has to bundle starts five seconds later;
 * this saves them at the second start and at every restart.
 */
export async function workflowBundle(folder: string, say: Say): Promise<string> {
  const file = join(folder, `workflows-${fingerprint()}.js`);
  if (existsSync(file)) return file;
  const aside = `${file}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  await step(say, 'workflow bundle (only when the code has changed)', 'the bundler', async () => {
    await run(process.execPath, [builder, aside], { cwd: projectRoot, timeout: 120_000 }).catch((error: { stderr?: string }) => {
      throw new StackError(`The workflows could not be bundled: ${error.stderr?.trim() || 'no reason given'}`, { cause: error });
    });
  });
  for (const old of readdirSync(folder)) if (/^workflows-.*\.js$/.test(old)) rmSync(join(folder, old));
  renameSync(aside, file);
  return file;
}

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const source of sources) for (const path of filesIn(join(projectRoot, source))) hash.update(path).update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}

const filesIn = (path: string): string[] =>
  path.endsWith('.json')
    ? [path]
    : readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .toSorted();
