import { stopProcess } from './process.ts';
import type { Say } from './progress.ts';
import { processOf, readStackFile, removeStackFile, roles } from './stack-file.ts';

/**
 * Stops the processes that a killed start has left running. The stack file names them with their start times: another process
 * that got the same pid since is left alone.
 * @returns how many processes there were
 */
export async function stopLeftovers(stackFile: string, say: Say): Promise<number> {
  const stack = readStackFile(stackFile);
  if (!stack) return 0;
  let found = 0;
  for (const role of roles.toReversed()) {
    const ref = processOf(stack, role);
    if (!ref) continue;
    const how = await stopProcess(ref, role === 'postgres' ? 'SIGINT' : 'SIGTERM', 15_000);
    if (how === 'gone') continue;
    found += 1;
    say(`  ${role} of an earlier start still ran (pid ${ref.pid}): ${how}`);
  }
  removeStackFile(stackFile);
  return found;
}
