// Measures one booked request with three offers: the cost of its run, up to the published reviews.
import {
  accepted,
  carryOut,
  proposeAll,
  review,
  seedProviders,
  soonSlot,
  submitRequest,
  untilConfirmed,
  untilReminded,
} from '../test/support/play.ts';
import { startSuite, type Suite } from '../test/support/suite.ts';
import { costOf, type RunCost } from './history-cost.ts';

export interface SqlCost {
  /** Transactions that changed something; each takes one transaction id. The number is exact while nobody else uses the server. */
  writingTransactions: number;
  /** The writing transactions that wrote to a timeline. */
  appends: number;
}

export interface BookedRequestCost {
  run: RunCost;
  sql: SqlCost;
}

/** Milliseconds from the start to the reminders. The booking is confirmed before them, also on a busy machine. */
const remindInMs = [20_000, 21_000];

/** Plays the request on the servers that the environment names (test/support/servers.ts). */
export async function measureBookedRequest(): Promise<BookedRequestCost> {
  const { policy, when } = soonSlot(remindInMs);
  const suite = await startSuite({ policy });
  try {
    const providers = await seedProviders(suite);
    const consumer = await suite.as('consumer', 'consumer');
    // A user's first call writes their row, so every user calls once before the counting begins.
    for (const { subject } of providers) accepted(await (await suite.as(subject, 'provider')).get('/leads'));
    accepted(await consumer.get('/requests'));
    const countSql = await sqlCounter(suite);

    const requestId = await submitRequest(consumer, { when });
    const [best] = await proposeAll(suite, providers, consumer, requestId);
    accepted(await consumer.post(`/offers/${best.id}/accept`));
    const booked = await untilConfirmed(suite, requestId);
    await untilReminded(suite, booked.bookingId, remindInMs.length);
    await carryOut(suite, requestId, booked);
    for (const side of [consumer, booked.winner]) await review(booked.bookingId, side);

    const run = suite.temporal.workflow.getHandle(`request/${requestId}`);
    await run.result();
    const sql = await countSql();
    return { run: await costOf(run), sql };
  } finally {
    await suite.close();
  }
}

/** Starts to count. @returns a function that returns the counts since then */
async function sqlCounter(suite: Suite): Promise<() => Promise<SqlCost>> {
  const transactionId = async () =>
    Number((await suite.rows<{ xid: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as xid'))[0]!.xid);
  const before = await transactionId();
  return async () => {
    const writingTransactions = (await transactionId()) - before;
    const [row] = await suite.rows<{ appends: number }>('select count(distinct transaction)::int as appends from event');
    return { writingTransactions, appends: row!.appends };
  };
}
