// Waits for rows: a look after each notice of an append, and one at least every 50 ms, because one notice may stand for several
// streams and a notice may be missed.
import { listen, type Listening } from '../src/db/listen.ts';

export interface Notices extends Listening {
  /**
   * Asks now, after each append to one of the streams, and every 50 ms, until `ask` returns true.
   * @throws when that takes longer than a minute
   */
  until(streams: readonly string[], ask: () => Promise<boolean>): Promise<void>;
}

const lookAgainMs = 50;
const patienceMs = 60_000;

/** Listens to every append, so that waiting for one costs next to nothing. */
export async function hearing(databaseUrl: string): Promise<Notices> {
  const waiting = new Map<string, () => void>();
  const { close } = await listen({ databaseUrl }, 'proxie_event', (stream) => waiting.get(stream)?.());
  return {
    close,
    async until(streams, ask) {
      const end = Date.now() + patienceMs;
      for (;;) {
        // Listening begins before the question, so that no notice falls between the two.
        const told = Promise.withResolvers<void>();
        for (const stream of streams) waiting.set(stream, told.resolve);
        const timer = setTimeout(told.resolve, lookAgainMs);
        const yes = await ask();
        if (!yes) await told.promise;
        clearTimeout(timer);
        if (yes) break;
        if (Date.now() > end) throw new Error(`Nothing happened for ${patienceMs / 1_000} s on ${streams.join(' and ')}.`);
      }
      for (const stream of streams) waiting.delete(stream);
    },
  };
}
