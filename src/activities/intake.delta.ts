import { sql, type Db, type Orm } from '../db/orm.ts';

/** Postgres refuses a notice of 8,000 bytes or more. Ids and the JSON around the text need some of them. */
const MAX_TEXT_BYTES = 2_000;
/** Words that arrive within this time are sent together. */
const GATHER_MS = 40;

export interface DeltaIds {
  userId: string;
  requestId: string;
  turnId: string;
  attempt: number;
}

/**
 * Sends pieces of an answer out of band while it is being written. Nothing depends on them, because the stored reply is the truth: a
 * failure to send is ignored here, and the person only reads a moment later.
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
      // One after another, because the pieces must arrive in their order.
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
    /** Sends the rest and waits until every piece has been handed over. */
    async close(): Promise<void> {
      flush();
      await sending;
    },
  };
}

/** Cuts a text into pieces below the limit in bytes, never inside a character. */
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
