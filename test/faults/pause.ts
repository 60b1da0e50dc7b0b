// Stops Postgres at a chosen place, from outside, so that a test can kill a process exactly there.
// oxlint-disable-next-line proxie/one-sql-path -- holds a lock, and listens, on a connection of its own
import pg from 'pg';
import { eventually } from '../support/http.ts';

export interface Pause {
  /** Resolves when this many appends wait for the lock: their transactions have begun and are not committed. */
  waiting(count: number): Promise<void>;
  release(): Promise<void>;
}

/** Blocks all appends until `release`. Reads still work. */
export async function pauseAppends(databaseUrl: string): Promise<Pause> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'proxie-test-pause' });
  client.on('error', () => undefined); // The test may kill the server of this connection.
  await client.connect();
  await client.query('begin');
  await client.query('lock table event in exclusive mode');
  return {
    async waiting(count) {
      const ask = async () => {
        const { rows } = await client.query(
          "select count(distinct pid)::int as n from pg_locks where relation = 'event'::regclass and not granted",
        );
        return (rows[0] as { n: number }).n;
      };
      await eventually(ask, (n) => n >= count, { what: `${count} waiting transactions` });
    },
    release: () => client.end().catch(() => undefined),
  };
}

/** `committed` resolves when the database reports a commit on this stream. NOTIFY is sent after the commit, never before. */
export async function nextCommit(databaseUrl: string, stream: string): Promise<{ committed: Promise<void> }> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'proxie-test-listen' });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('listen proxie_event');
  const committed = new Promise<void>((resolve) => {
    client.on('notification', ({ payload }) => {
      if (payload === stream) resolve();
    });
  }).finally(() => void client.end().catch(() => undefined));
  return { committed };
}
