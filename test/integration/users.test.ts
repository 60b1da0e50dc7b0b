import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { guestIssuer } from '../../src/api/http/guests.ts';
import { usersIn } from '../../src/api/http/users.ts';
import { openOrm, type Orm } from '../../src/db/orm.ts';
import { newDatabase } from '../support/suite.ts';

let database: Awaited<ReturnType<typeof newDatabase>>;
let orm: Orm;
beforeAll(async () => {
  database = await newDatabase();
  orm = await openOrm({ databaseUrl: database.url, poolMax: 16 });
});
afterAll(async () => {
  await orm.close(true);
  await database.drop();
});

it.each([
  ['a guest, whose subject is their id', guestIssuer],
  ['a user of the issuer', 'https://issuer.example'],
])('given the first requests of %s at once, all are of one user', async (_, issuer) => {
  const users = usersIn(orm);
  for (let round = 0; round < 20; round += 1) {
    const subject = randomUUID();
    const found = await Promise.all(Array.from({ length: 16 }, () => users.resolve({ issuer, subject } as never)));
    expect(new Set(found.map(({ id }) => id)).size).toBe(1);
  }
});
