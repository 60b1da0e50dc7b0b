// The statements of src/db/orm.ts: values are bound, and Postgres parses each text once per connection.
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { PooledClient } from './pooled-client.ts';

/**
 * Texts that get a name; far more than the code has. A text that contains a value is a new one each time: past this number
 * such texts are sent without a name, so neither this process nor a connection of Postgres grows with the traffic.
 * A text that runs once (a seed, a test's preparation) costs its place here and a few KB on one connection: no case of its own.
 */
export const mostTexts = 1_000;

/** Texts with `?` as they are sent, with `$1`. */
const sent = new Map<string, string>();
/** The names of those. */
const names = new Map<string, string>();

type Compiled = Parameters<ReturnType<SqlEntityManager['getKysely']>['executeQuery']>[0];

/**
 * A text with `?` placeholders in the words of Postgres' protocol, with its values. Without a name Postgres plans it for them;
 * of a named one it keeps a plan for whatever values when that looks as cheap.
 */
export function statementOf(text: string, params: readonly unknown[], { replan }: { replan: boolean }): Compiled & { sql: string } {
  const sql = sent.get(text) ?? (replan ? numbered(text) : named(text));
  const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as const;
  return { sql, query, parameters: params, queryId: { queryId: sql } };
}

function numbered(text: string): string {
  let count = 0;
  return text.replaceAll('?', () => `$${(count += 1)}`);
}

function named(text: string): string {
  const sql = numbered(text);
  if (sent.size >= mostTexts) return sql;
  sent.set(text, sql);
  names.set(sql, `statement_${names.size + 1}`);
  return sql;
}

/** Names those statements to Postgres; whatever else is sent passes as it is. */
export class PreparingClient extends PooledClient {
  override query(...input: never[]): never {
    const [text, values] = input as unknown as [unknown, unknown[]];
    const name = typeof text === 'string' ? names.get(text) : undefined;
    const rest = name ? [{ name, text, values }] : input;
    return super.query(...(rest as [never])) as never;
  }
}
