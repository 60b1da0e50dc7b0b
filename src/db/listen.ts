// oxlint-disable-next-line proxie/one-sql-path -- LISTEN needs a connection of its own, outside the pool
import pg from 'pg';

export interface Listening {
  close(): Promise<void>;
}

export interface ListenOptions {
  databaseUrl: string;
  /** Called whenever listening begins (again): what was told in between is lost, so look for yourself. */
  onListening?: () => void;
  /** Longest pause between attempts. */
  maxPauseMs?: number;
}

const firstPauseMs = 100;

/**
 * Hears a channel's notices on a connection of its own, and connects again with growing pauses when it is lost. Resolves
 * after the first attempt, successful or not: a database that is away is waited for in the background.
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
    // Keep-alive, because a cut line is silent: nothing is ever sent on this connection but by the server.
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
