/** Prints a line of progress: to the terminal, to a log, or nowhere in tests. */
export type Say = (line: string) => void;

export const toTerminal: Say = (line) => void process.stdout.write(`${line}\n`);

/**
 * Runs one slow step and shows its progress: the title at the start, `waitsFor` every five seconds, and the duration at the
 * end.
 * @param waitsFor the condition that the step waits for, e.g. "the server to accept connections"
 */
export async function step<T>(say: Say, title: string, waitsFor: string, work: () => Promise<T>): Promise<T> {
  const began = Date.now();
  const seconds = () => `${((Date.now() - began) / 1000).toFixed(1)} s`;
  say(`› ${title}`);
  const reminder = setInterval(() => say(`  still waiting for ${waitsFor} (${seconds()})`), 5_000);
  try {
    const result = await work();
    say(`✓ ${title} (${seconds()})`);
    return result;
  } catch (error) {
    say(`✗ ${title} (${seconds()})`);
    throw error;
  } finally {
    clearInterval(reminder);
  }
}

/** An error that a person can fix. It is shown without a stack, because its message says what to do. */
export class StackError extends Error {
  override readonly name = 'StackError';
}
