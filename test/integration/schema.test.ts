import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { migrate, openOrm, sql, type Orm } from '../../src/db/orm.ts';
import { newDatabase } from '../support/suite.ts';

let orm: Orm;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await newDatabase();
  drop = database.drop;
  orm = await openOrm({ databaseUrl: database.url, poolMax: 2 });
});
afterAll(async () => {
  await orm.close(true);
  await drop();
});

const difference = () => orm.schema.getUpdateSchemaSQL({ wrap: false });

describe('schema', () => {
  it('entities equal migrations', async () => {
    expect((await difference()).trim()).toBe('');
  });

  it('negative control: a column that no entity knows shows up as a difference', async () => {
    await sql(orm.em.fork(), 'alter table place add column drifted text');
    expect(await difference()).toContain('drifted');
    await sql(orm.em.fork(), 'alter table place drop column drifted');
  });

  it('migrations go down to nothing and up again', async () => {
    await orm.migrator.down({ to: 0 });
    const [left] = await sql<{ tables: number }>(
      orm.em.fork(),
      "select count(*)::int as tables from information_schema.tables where table_schema = 'public' and table_name <> 'migration'",
    );
    expect(left).toEqual({ tables: 0 });
    await migrate(orm);
    expect((await difference()).trim()).toBe('');
  });
});
