// oxlint-disable-next-line proxie/one-sql-path -- LISTEN needs a connection of its own, outside the pool
import pg from 'pg';

export interface Listening {
  close(): Promise<void>;
}

export interface ListenOptions {
  databaseUrl: string;
  /** Called whenever listening begins, also after a reconnect. Notices in between are lost, so read the rows again here. */
  onListening?: () => void;
  /** Longest pause between attempts to connect, milliseconds. */
  maxPauseMs?: number;
}

const firstPauseMs = 100;

/**
 * Listens to the notices of a channel on a connection of its own. When the connection is lost, it connects again with growing
 * pauses.
 * Resolves after the first attempt, successful or not: an unreachable database is tried again in the background.
 */
export async function listen(
  { databaseUrl, onListening, maxPauseMs = 5_000 }: ListenOptions,
  channel: string,
  onPayload: (payload: string) => void,
): Promise<Listening> {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let pauseMs = firstPauseMs;
  let closed = false;

  async function connect(): Promise<void> {
    // A broken line shows no error, because only the server sends on this connection. Keep-alive detects it.
    const next = new pg.Client({
      connectionString: databaseUrl,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: 5_000,
      application_name: `proxie-listen-${channel}`,
    });
    let lost = false;
    const onLost = () => {
      if (lost) return;
      lost = true;
      client = null;
      void next.end().catch(() => {});
      if (closed) return;
      timer = setTimeout(() => void connect(), pauseMs);
      pauseMs = Math.min(pauseMs * 2, maxPauseMs);
    };
    next.on('error', onLost);
    next.on('end', onLost);
    next.on('notification', ({ payload = '' }) => onPayload(payload));
    try {
      await next.connect();
      await next.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch {
      return onLost();
    }
    if (closed) return void next.end().catch(() => {});
    client = next;
    pauseMs = firstPauseMs;
    onListening?.();
  }

  await connect();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}
