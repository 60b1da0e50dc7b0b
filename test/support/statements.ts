import type { Suite } from './suite.ts';

export interface Statements<T> {
  result: T;
  count: number;
  /** The statements and how often each was sent, the most frequent first. */
  calls: { times: number; text: string }[];
}

/** The statements that `work` sends to a suite's database, including begin and commit of transactions. */
export async function statementsOf<T>({ rows }: Pick<Suite, 'rows'>, work: () => Promise<T>): Promise<Statements<T>> {
  await rows('create extension if not exists pg_stat_statements');
  await rows('select pg_stat_statements_reset(0, oid, 0) from pg_database where datname = current_database()');
  const result = await work();
  const found = await rows<{ times: number; text: string }>(
    `select calls::int as times, query as text from pg_stat_statements s join pg_database d on d.oid = s.dbid
     where d.datname = current_database() and query not like '%pg_stat_statements%' order by calls desc, query`,
  );
  const calls = found.map(({ times, text }) => ({ times, text: text.replaceAll(/\s+/g, ' ').trim().slice(0, 160) }));
  return { result, count: calls.reduce((sum, { times }) => sum + times, 0), calls };
}
