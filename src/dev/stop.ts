import { existsSync } from 'node:fs';
import { loadStackConfig } from '../config.ts';
import { homePaths } from './home.ts';
import { stopLeftovers } from './leftovers.ts';
import { holderOf, releaseLock, takeLock } from './lock.ts';
import { goneWithin, isRunning, signal } from './process.ts';
import { step, toTerminal } from './progress.ts';

/** `npm stop`: drains the stack of this home, also the rest of a killed start. */
const { home } = loadStackConfig();
const paths = homePaths(home);
const say = toTerminal;

async function stop(): Promise<number> {
  if (!existsSync(paths.root)) return nothing();
  const holder = holderOf(paths.lockFile);
  if (holder && isRunning(holder)) {
    signal(holder, 'SIGTERM');
    const gone = await step(say, `stopping the stack in ${home} (pid ${holder.pid})`, 'API, worker, Temporal and Postgres to drain', () =>
      goneWithin(holder, 180_000),
    );
    if (!gone) {
      say(`✗ It did not drain within three minutes. See ${paths.logs}; kill -9 ${holder.pid} and npm stop again ends it.`);
      return 1;
    }
    return 0;
  }
  if (takeLock(paths.lockFile)) return stop(); // another start has just begun
  const found = await stopLeftovers(paths.stackFile, say);
  releaseLock(paths.lockFile);
  return found === 0 ? nothing() : 0;
}

function nothing(): number {
  say(`Nothing runs in ${home}.`);
  return 0;
}

process.exit(await stop());
