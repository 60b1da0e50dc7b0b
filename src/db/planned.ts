// Statements that Postgres plans once per connection. The ORM writes values into its texts, so each of its texts is a new one.
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { PooledClient } from './pooled-client.ts';

/** Grow with the code, not with the traffic: texts are constants, values are bound. */
const texts = new Map<string, string>();
const names = new Map<string, string>();

type Compiled = Parameters<ReturnType<SqlEntityManager['getKysely']>['executeQuery']>[0];

/** A text with `?` placeholders in the words of Postgres' protocol, with its values. */
export function statementOf(text: string, params: readonly unknown[]): Compiled & { sql: string } {
  const sql = texts.get(text) ?? remember(text);
  const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as const;
  return { sql, query, parameters: params, queryId: { queryId: sql } };
}

function remember(text: string): string {
  let count = 0;
  const sql = text.replaceAll('?', () => `$${(count += 1)}`);
  texts.set(text, sql);
  names.set(sql, `planned_${names.size + 1}`);
  return sql;
}

/** Names those statements to Postgres; whatever else is sent passes as it is. */
export class PlanningClient extends PooledClient {
  override query(...input: never[]): never {
    const [text, values] = input as unknown as [unknown, unknown[]];
    const name = typeof text === 'string' ? names.get(text) : undefined;
    const rest = name ? [{ name, text, values }] : input;
    return super.query(...(rest as [never])) as never;
  }
}
