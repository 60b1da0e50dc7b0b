import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { openOrm, sql, type Orm } from '../../src/db/orm.ts';
import { inTransaction } from '../../src/db/transaction.ts';
import { newDatabase } from '../support/suite.ts';

const poolMax = 2;

let database: Awaited<ReturnType<typeof newDatabase>>;
let wire: Wire;
let orm: Orm;

beforeAll(async () => {
  database = await newDatabase();
  wire = await wireTo(database.url);
  orm = await openOrm({ databaseUrl: wire.url, poolMax });
});
afterAll(async () => {
  await orm.close(true);
  wire.server.close();
  await database.drop();
});

interface Wire {
  url: string;
  server: Server;
  /** A connection that sends this text is cut before the server receives the text. */
  cutAt: string | undefined;
}

/** A connection to Postgres that breaks as if the server was killed or the network failed. */
async function wireTo(target: string): Promise<Wire> {
  const { hostname, port } = new URL(target);
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    upstream.pipe(client);
    client.on('data', (data) => {
      if (wire.cutAt && data.includes(wire.cutAt)) client.destroy();
      else upstream.write(data);
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined);
      socket.on('close', () => [client, upstream].forEach((one) => one.destroy()));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  const made: Wire = { url: url.href, server, cutAt: undefined };
  return made;
}

/** The value is sent each time. The statement's text is sent only until the statement is prepared. */
const answer = () => inTransaction(orm, async (tx) => (await sql<{ said: string }>(tx, 'select ?::text as said', ['hello']))[0]!.said);

describe('a connection that breaks gives its place in the pool back', () => {
  it.each([
    ['at the begin', 'begin', answer],
    ['at a statement', 'hello', answer],
    ['at the commit', 'commit', answer],
    [
      'at the rollback',
      'rollback',
      () =>
        inTransaction(orm, () => {
          throw new Error('the work failed');
        }),
    ],
  ])('%s, more often than there are places', async (_when, cutAt, work) => {
    wire.cutAt = cutAt;
    for (let n = 0; n < poolMax + 1; n += 1) await expect(work()).rejects.toThrow(/terminated|work failed/);
    wire.cutAt = undefined;
    expect(await Promise.all(Array.from({ length: poolMax }, answer))).toEqual(Array.from({ length: poolMax }, () => 'hello'));
  });
});
