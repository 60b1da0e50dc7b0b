// The statements of src/db/orm.ts: values are bound, and Postgres parses a prepared text once per connection.
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { PooledClient } from './pooled-client.ts';

/** Texts by their form with `?`; the value is the form that is sent, with `$1`. */
const sent = new Map<string, string>();
/** Statement names by the text that is sent. */
const names = new Map<string, string>();

type Compiled = Parameters<ReturnType<SqlEntityManager['getKysely']>['executeQuery']>[0];

/**
 * A text with `?` placeholders in the form of Postgres' protocol, with its values. Postgres plans a statement without a name for its
 * values. For a named statement Postgres keeps one plan for all values when that plan looks as cheap, also while the tables grow.
 * @param options.prepared true gives the statement a name. Its text must be a constant: names are kept as long as the process lives
 */
export function statementOf(text: string, params: readonly unknown[], { prepared }: { prepared: boolean }): Compiled & { sql: string } {
  const sql = prepared ? (sent.get(text) ?? named(text)) : numbered(text);
  const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as const;
  return { sql, query, parameters: params, queryId: { queryId: sql } };
}

function numbered(text: string): string {
  let count = 0;
  return text.replaceAll('?', () => `$${(count += 1)}`);
}

function named(text: string): string {
  const sql = numbered(text);
  sent.set(text, sql);
  names.set(sql, `statement_${names.size + 1}`);
  return sql;
}

/** Sends the texts above under their names; every other query passes unchanged. */
export class PreparingClient extends PooledClient {
  override query(...input: never[]): never {
    const [text, values] = input as unknown as [unknown, unknown[]];
    const name = typeof text === 'string' ? names.get(text) : undefined;
    const rest = name ? [{ name, text, values }] : input;
    return super.query(...(rest as [never])) as never;
  }
}
