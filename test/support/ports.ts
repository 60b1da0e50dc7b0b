import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { releaseLock, takeLock } from '../../src/dev/lock.ts';
import { portChooser } from '../../src/dev/ports.ts';

const claims = () => join(tmpdir(), `proxie-test-ports-${userInfo().username}`);

/**
 * A port that this process keeps until it ends, also while nothing listens on it: no other test gets it. The port is below
 * those that systems give to outgoing connections (from 32,768 on Linux, from 49,152 elsewhere).
 */
export function anyPort(): Promise<number> {
  const choose = portChooser(claims(), () => {});
  return choose({ what: 'a test', key: 'PORT', wanted: undefined, from: randomInt(20_000, 32_000) });
}

/** Removes the claims of processes that have ended. */
export function sweepPorts(): void {
  mkdirSync(claims(), { recursive: true });
  for (const name of readdirSync(claims())) {
    const claim = join(claims(), name);
    if (!takeLock(claim)) releaseLock(claim);
  }
}
