// One booked request with three offers, and what each of its three runs costs.
import { withClient } from '../src/dev/postgres.ts';
import { caller } from '../test/support/http.ts';
import { accepted, carryOut, proposeAll, seedProviders, soonSlot, submitRequest, untilConfirmed } from '../test/support/play.ts';
import { startSuite } from '../test/support/suite.ts';
import { eventually } from '../test/support/http.ts';
import { costOf, type RunCost } from './history-cost.ts';

export type RunName = 'request' | 'booking' | 'review';

export interface BookedRequestCost {
  runs: Record<RunName, RunCost>;
  sql: SqlCost;
}

export interface SqlCost {
  /** Transactions that changed something: each has one transaction id. Exact while nobody else uses the server. */
  writingTransactions: number;
  /** Statements that wrote, and all statements, our own waiting included. */
  writingStatements: number;
  statements: number;
}

/** Reminders fire this long after the start, time enough for the booking to be confirmed before, on a busy machine too. */
const remindInMs = [20_000, 21_000];

/** Plays it against the servers that the environment names (test/support/servers.ts). */
export async function measureBookedRequest(): Promise<BookedRequestCost> {
  const { policy, when } = soonSlot(remindInMs);
  const suite = await startSuite({ policy });
  try {
    const providers = await seedProviders(suite);
    const consumer = caller(suite.url, await suite.token('consumer', 'consumer'));
    // Everybody is known before the counting begins.
    for (const { subject } of providers) accepted(await (await suite.as(subject, 'provider')).get('/leads'));
    accepted(await consumer.get('/requests'));
    const sqlCost = await countSql(suite.databaseUrl);

    const requestId = await submitRequest(consumer, { when });
    const [best] = await proposeAll(suite, providers, consumer, requestId);
    accepted(await consumer.post(`/offers/${best.id}/accept`));
    const booked = await untilConfirmed(suite, requestId);
    const reminded = 'select seq from event where stream = ? and type = ?';
    await eventually(
      () => suite.rows(reminded, [`booking/${booked.bookingId}`, 'booking.reminded']),
      (rows) => rows.length === remindInMs.length,
      { withinMs: 40_000, what: 'both reminders (a confirmation later than they are due skips them)' },
    );
    await carryOut(suite, requestId, booked);
    for (const side of [consumer, booked.winner]) accepted(await review(suite, side, booked.bookingId));

    const result = (workflowId: string) => suite.temporal.workflow.getHandle(workflowId).result();
    const ids = { request: `request/${requestId}`, booking: `booking/${booked.bookingId}`, review: `review/${booked.bookingId}` };
    await Promise.all(Object.values(ids).map(result));
    const history = async (workflowId: string) => costOf(await suite.temporal.workflow.getHandle(workflowId).fetchHistory());
    const sql = await sqlCost();
    return { runs: { request: await history(ids.request), booking: await history(ids.booking), review: await history(ids.review) }, sql };
  } finally {
    await suite.close();
  }
}
