import { sql, type Db, type Orm } from '../db/orm.ts';

/** Postgres refuses a notice of 8,000 bytes; ids and JSON need some of them. */
const MAX_TEXT_BYTES = 2_000;
/** Words that arrive within this time travel together. */
const GATHER_MS = 40;

export interface DeltaIds {
  userId: string;
  requestId: string;
  turnId: string;
  attempt: number;
}

/**
 * Sends pieces of an answer out of band while it is being written. Nothing depends on them: a lost piece costs a moment of
 * comfort, so failures are swallowed here and the stored reply is the truth.
 */
export function deltaSender(orm: Orm, ids: DeltaIds) {
  let waiting = '';
  let seq = 0;
  let sending = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const delta = waiting;
    waiting = '';
    for (const piece of pieces(delta)) {
      const payload = JSON.stringify({ ...ids, seq: (seq += 1), delta: piece });
      // One after another: their order is the sentence.
      sending = sending
        .then(() => sql(orm.em.fork() as Db, `select pg_notify('proxie_turn', ?)`, [payload]))
        .then(
          () => {},
          () => {},
        );
    }
  }

  return {
    push(text: string): void {
      waiting += text;
      timer ??= setTimeout(flush, GATHER_MS);
    },
    /** Waits until everything has been handed over. */
    async close(): Promise<void> {
      flush();
      await sending;
    },
  };
}

/** Text in pieces that stay below the limit in bytes, never inside a character. */
export function pieces(text: string): string[] {
  const found: string[] = [];
  let piece = '';
  let bytes = 0;
  for (const character of text) {
    const size = Buffer.byteLength(character);
    if (bytes + size > MAX_TEXT_BYTES) {
      found.push(piece);
      [piece, bytes] = ['', 0];
    }
    piece += character;
    bytes += size;
  }
  return piece ? [...found, piece] : found;
}
