// Counts what one acceptance costs. Counts are the same on every machine; `npm run bench:accept` measures milliseconds.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import baseline from '../../bench/accept.baseline.json' with { type: 'json' };
import { bookingWorkflowId } from '../../src/contracts/booking.messages.ts';
import { requestWorkflowId } from '../../src/contracts/request.messages.ts';
import { getPosition } from '../../src/contracts/run.messages.ts';
import { sql } from '../../src/db/orm.ts';
import { eventually } from '../support/http.ts';
import { accepted, proposeAll, submitRequest } from '../support/play.ts';
import { city, seedProvider } from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { startSuite, type Suite } from '../support/suite.ts';

const { statements } = baseline;

let suite: Suite;

beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

/** Accepts one of three live offers, and waits until the run knows the confirmed booking, asking the run and not the database. */
async function accept(place: typeof city, invitations: number) {
  const providers = await Promise.all(
    Array.from({ length: invitations }, (_, n) => seedProvider(suite.orm, { ...place, price: 11_000 + n })),
  );
  const consumer = await suite.as('consumer', 'consumer');
  const requestId = await submitRequest(consumer, { location: { ...place, address: '1 Main Street' } });
  const [best] = await proposeAll(suite, providers.slice(0, 3), consumer, requestId);
  await eventually(
    () => suite.rows("select 1 from idempotency_key where state = 'in_flight'"),
    (rows) => rows.length === 0,
    { what: 'the answers of the proposals to be stored' },
  );
  const statements = await statementsOf(suite, async () => {
    const { bookingId } = accepted(await consumer.post(`/offers/${best.id}/accept`));
    await eventually(answerStored, (rows) => rows[0]!.calls === 2, { what: 'the answer to be stored' });
    const run = suite.temporal.workflow.getHandle(requestWorkflowId(requestId));
    await eventually(
      () => run.query(getPosition, bookingWorkflowId(bookingId)).catch(() => 0),
      (seq) => seq === 2,
      { what: 'the confirmation' },
    );
  });
  return { requestId, ...statements };
}

/** Statements about idempotency keys: the claim, and a moment after the answer its storing. A statement that names pg_stat_statements is not counted. */
const answerStored = () =>
  suite.rows<{ calls: number }>(
    `select coalesce(sum(calls), 0)::int as calls from pg_stat_statements s join pg_database d on d.oid = s.dbid
     where d.datname = current_database() and query like '%idempotency_key%' and query not like '%pg_stat_statements%'`,
  );

/** Statements of the API: read the user, claim the key, read the offer before and after; after the answer, store the answer. */
const ofTheApi = statements.api;
/** Statements of the one transaction: the events with everything stored beside them, four status changes, three for the slot, the code of the check-in. */
const ofTheAppend = statements.append;

const kindOf = (event: object) => /^(\w+)EventAttributes$/.exec(Object.keys(event).find((key) => key.endsWith('Attributes'))!)![1];

describe('one acceptance', () => {
  beforeAll(() => accept({ ...city, lat: 10 }, 3)); // fills caches and pools

  it.each([
    ['three offers', 3, { ...city, lat: 20 }],
    ['six invitations (all that one round asks), three of them answered,', 6, { ...city, lat: 30 }],
  ])('given %s, it takes the same number of statements', async (_, invitations, place) => {
    const { count, calls } = await accept(place, invitations);
    expect({ count, calls }).toEqual({ count: ofTheApi + ofTheAppend, calls });
    expect(calls.find(({ text }) => text === 'commit')).toEqual({ text: 'commit', times: 1 });
  });

  it('asks Temporal for one Update and one workflow task with one local activity, and for no child', async () => {
    const { requestId } = await accept({ ...city, lat: 40 }, 3);
    const run = suite.temporal.workflow.getHandle(requestWorkflowId(requestId));
    const kinds = await eventually(
      async () => (await run.fetchHistory()).events!.map(kindOf),
      (found) =>
        found.includes('workflowExecutionUpdateAccepted') &&
        found.lastIndexOf('workflowTaskCompleted') > found.lastIndexOf('workflowTaskStarted'),
    );
    const accepting = kinds.lastIndexOf('workflowExecutionUpdateAccepted');
    expect(kinds.slice(accepting - 3)).toEqual([
      'workflowTaskScheduled',
      'workflowTaskStarted',
      'workflowTaskCompleted',
      'workflowExecutionUpdateAccepted',
      // Everything is written, with the reminders that came with the command.
      'markerRecorded',
      'upsertWorkflowSearchAttributes',
      'workflowExecutionUpdateCompleted',
      // The booking's clock takes the place of the search's.
      'timerStarted',
      'timerCanceled',
    ]);
  });

  it('the control: a statement more is seen, also one that is prepared already', async () => {
    const em = suite.orm.em.fork();
    const { count } = await statementsOf(suite, async () => {
      for (const n of [1, 2]) await sql(em, 'select ?::int as n', [n]);
    });
    expect(count).toBe(2);
  });
});
