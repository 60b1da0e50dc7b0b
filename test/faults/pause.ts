// Holds Postgres still at a chosen place, from outside, so that a test can kill something exactly then.
// oxlint-disable-next-line proxie/one-sql-path -- holds a lock, and listens, on a connection of its own
import pg from 'pg';
import { eventually } from '../support/http.ts';

export interface Pause {
  /** Resolves when so many appends wait for us: their transactions have begun and have not been committed. */
  waiting(count: number): Promise<void>;
  release(): Promise<void>;
}

/** No timeline can be appended to until this is released; everything can be read. */
export async function pauseAppends(databaseUrl: string): Promise<Pause> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'proxie-test-pause' });
  client.on('error', () => undefined); // the test may kill the server under it
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

/** Resolves when the database tells of a commit on this stream: NOTIFY speaks after the commit, never before. */
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
