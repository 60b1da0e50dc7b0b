// The paths whose histories are kept: every workflow type, every way a run goes on or ends that differs in its commands.
import { calendarImportType, calendarImportWorkflowId } from '../../src/contracts/calendar-import.messages.ts';
import { mailWorkflowId, wakeMail } from '../../src/contracts/mail.messages.ts';
import { optOut } from '../../src/contracts/review.messages.ts';
import { catchUp } from '../../src/contracts/run.messages.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { importCalendarNow } from '../../src/temporal/calendar-import.ts';
import { eventually, type Caller } from '../support/http.ts';
import {
  accepted,
  carryOut,
  invited,
  proposeAll,
  review,
  say,
  submitRequest,
  untilConfirmed,
  untilReminded,
  untilStatus,
  type Booked,
} from '../support/play.ts';
import { leakRequest, type SeededProvider } from '../support/seed.ts';
import type { Suite } from '../support/suite.ts';
import { repeated } from './scenarios.series.ts';

/** A run to keep; `runId` where a workflow had several. */
export interface Recording {
  name: string;
  workflowId: string;
  runId?: string;
}

export interface Stage {
  suite: Suite;
  providers: SeededProvider[];
  consumer: Caller;
  /** A window in which every provider is free, whose first slot the reminders are counted from. */
  when: object;
}

const request = (name: string, id: string): Recording => ({ name: `request.${name}`, workflowId: `request/${id}` });

/** With the default durations, but for two reminders that fire while we wait. */
export const patient: readonly ((stage: Stage) => Promise<Recording[]>)[] = [
  booked,
  cancelled,
  negotiated,
  outrun,
  signalled,
  dropped,
  chatted,
  enrolled,
  mailed,
  imported,
  ...repeated,
  reconciled,
  rebuilt,
];
/** With durations of milliseconds: everything that the clock does. */
export const hasty: readonly ((stage: Stage) => Promise<Recording[]>)[] = [unfilled, silent, parked, abandoned, continued];

export const hastyPolicy: Partial<Policy> = {
  maxTurns: 1,
  decisionMs: 500,
  roundWindowMs: { urgent: 600, soon: 600, flexible: 600 },
  intakeNudgeMs: 1_500,
  intakeCloseMs: 2_500,
};

/** Booked, reminded, carried out; one side writes a review, the other does not want to be asked. */
async function booked({ suite, providers, consumer, when }: Stage): Promise<Recording[]> {
  const requestId = await submitRequest(consumer, { when });
  const [best] = await proposeAll(suite, providers, consumer, requestId);
  accepted(await consumer.post(`/offers/${best.id}/accept`));
  const job = await untilConfirmed(suite, requestId);
  await untilReminded(suite, job.bookingId, 2);
  await carryOut(suite, requestId, job);
  await review(job.bookingId, job.winner);
  const { consumer_id: userId } = await untilStatus(suite, 'request', requestId, 'completed');
  const run = suite.temporal.workflow.getHandle(`request/${requestId}`);
  await run.signal(optOut, { bookingId: job.bookingId, userId, eventId: 'opt-out-1' });
  return [request('completed', requestId)];
}

async function cancelled({ suite, providers, consumer }: Stage): Promise<Recording[]> {
  const requestId = await submitRequest(consumer);
  const { caller, offerId } = await invited(suite, providers[0]!, requestId);
  accepted(await caller.post(`/offers/${offerId}/propose`));
  accepted(await caller.post(`/offers/${offerId}/withdraw`));
  accepted(await consumer.post(`/requests/${requestId}/cancel`));
  return [request('cancelled', requestId)];
}

/** Declined, countered, agreed; then the consumer cancels the booking. */
async function negotiated({ suite, providers, consumer }: Stage): Promise<Recording[]> {
  const requestId = await submitRequest(consumer);
  const [first, second] = [await invited(suite, providers[0]!, requestId), await invited(suite, providers[1]!, requestId)];
  accepted(await first.caller.post(`/offers/${first.offerId}/decline`));
  accepted(await second.caller.post(`/offers/${second.offerId}/propose`));
  accepted(await consumer.post(`/offers/${second.offerId}/counter`, { price: { amount: 10_500, currency: 'USD' } }));
  accepted(await second.caller.post(`/offers/${second.offerId}/accept`));
  const { bookingId } = await untilConfirmed(suite, requestId);
  accepted(await consumer.post(`/bookings/${bookingId}/cancel`));
  await untilStatus(suite, 'request', requestId, 'cancelled');
  return [request('booking-cancelled', requestId)];
}

/** The slot goes to somebody else first; the search goes on and is cancelled. */
async function outrun({ suite, providers, consumer }: Stage): Promise<Recording[]> {
  const requestIds = [await submitRequest(consumer), await submitRequest(consumer)] as const;
  const offers: string[] = [];
  for (const requestId of requestIds) {
    const asked = await Promise.all(providers.map((provider) => invited(suite, provider, requestId)));
    const [only, ...others] = asked;
    accepted(await only!.caller.post(`/offers/${only!.offerId}/propose`));
    for (const { caller, offerId } of others) accepted(await caller.post(`/offers/${offerId}/decline`));
    offers.push(only!.offerId);
  }
  const [first, second] = requestIds;
  accepted(await consumer.post(`/offers/${offers[0]}/accept`));
  const late = await consumer.post(`/offers/${offers[1]}/accept`);
  if (late.body.code !== 'slot_taken') throw new Error(`the slot was not taken: ${JSON.stringify(late.body)}`);
  await untilStatus(suite, 'request', second, 'unfilled');
  const { bookingId } = await untilConfirmed(suite, first);
  accepted(await consumer.post(`/bookings/${bookingId}/cancel`));
  return [request('outrun', second)];
}

/** A provider's acceptance as a plain signal; one for an offer that is not there is refused, and one that makes no sense. */
async function signalled({ suite, providers, consumer }: Stage): Promise<Recording[]> {
  const requestId = await submitRequest(consumer, { mode: 'instant' });
  const [winner, loser] = [await invited(suite, providers[1]!, requestId), await invited(suite, providers[2]!, requestId)];
  const run = suite.temporal.workflow.getHandle(`request/${requestId}`);
  await run.signal('offerAccepted');
  await run.signal('offerAccepted', { offerId: winner.offerId, providerId: providers[1]!.id, eventId: 'signal-1' });
  const job = await untilConfirmed(suite, requestId);
  await run.signal('offerAccepted', { offerId: loser.offerId, providerId: providers[2]!.id, eventId: 'signal-2' });
  await eventually(
    () => suite.rows(`select seq from event where stream = ? and type = 'command.refused'`, [`request/${requestId}`]),
    (rows) => rows.length === 2,
    { what: 'both refusals' },
  );
  await carryOut(suite, requestId, job);
  await reviewBoth(job, consumer);
  return [request('signalled', requestId)];
}

/** The provider drops out, the search goes on, and the next one does the job: one run with two bookings. */
async function dropped({ suite, providers, consumer }: Stage): Promise<Recording[]> {
  const requestId = await submitRequest(consumer);
  const { caller, offerId } = await invited(suite, providers[0]!, requestId);
  accepted(await caller.post(`/offers/${offerId}/propose`));
  accepted(await consumer.post(`/offers/${offerId}/accept`));
  const { bookingId, winner } = await untilConfirmed(suite, requestId);
  accepted(await winner.post(`/bookings/${bookingId}/cancel`));
  const [again] = await eventually(
    () =>
      suite.rows<{ id: string }>('select id from offer where request_id = ? and provider_id = ? and round = 2', [
        requestId,
        providers[1]!.id,
      ]),
    (rows) => rows.length > 0,
    { what: 'the invitation of the second round' },
  );
  const next = await suite.as(providers[1]!.subject, 'provider');
  accepted(await next.post(`/offers/${again!.id}/propose`));
  accepted(await consumer.post(`/offers/${again!.id}/accept`));
  const job = await untilConfirmed(suite, requestId);
  await carryOut(suite, requestId, job);
  await reviewBoth(job, consumer);
  return [request('provider-dropped', requestId)];
}

/** Both sides write, so that the run ends. */
async function reviewBoth({ bookingId, winner }: Booked, consumer: Caller): Promise<void> {
  for (const side of [consumer, winner]) await review(bookingId, side);
}

async function chatted({ suite, consumer }: Stage): Promise<Recording[]> {
  const { requestId } = await say(consumer, 'My kitchen sink is leaking, can somebody come to Downtown as soon as possible?');
  await say(consumer, 'Yes, please send it.', requestId);
  await untilStatus(suite, 'request', requestId, 'offering');
  accepted(await consumer.post(`/requests/${requestId}/cancel`));
  return [request('chatted', requestId)];
}

const application = {
  displayName: 'A plumber',
  bio: 'Mends pipes',
  zone: 'America/New_York',
  location: { lat: 40.7128, lon: -74.006 },
  radiusKm: 20,
  services: [{ code: 'plumbing.leak', price: { amount: 15_000, currency: 'USD' }, durationMinutes: 60 }],
  availability: [{ weekday: 1, startMinute: 480, endMinute: 1020 }],
  credentials: [{ kind: 'licence', category: 'plumbing', reference: 'LIC-1', validUntil: '2035-01-01T00:00:00.000Z' }],
  portfolio: [{ url: 'https://photos.example/1.jpg' }],
};

async function enrolled({ suite }: Stage): Promise<Recording[]> {
  const operator = await suite.as('operator', 'admin');
  const decide = (id: string, verdict: string) => operator.post(`/enrollments/${id}/decide`, { verdict, reason: 'Looked at it' });
  async function submitted(subject: string) {
    const applicant = await suite.as(subject, 'consumer');
    const { id } = accepted(await applicant.post('/enrollments', application));
    return { id, submit: () => submit(applicant, id) };
  }
  async function submit(applicant: Caller, id: string): Promise<void> {
    accepted(await applicant.post(`/enrollments/${id}/submit`));
    await untilStatus(suite, 'enrollment', id, 'in_review');
  }
  const [good, bad] = [await submitted('good-applicant'), await submitted('bad-applicant')];
  await good.submit();
  accepted(await decide(good.id, 'approve'));
  await bad.submit();
  accepted(await decide(bad.id, 'request_changes'));
  await bad.submit();
  accepted(await decide(bad.id, 'reject'));
  return [
    { name: 'enrollment.approved', workflowId: `enrollment/${good.id}` },
    { name: 'enrollment.rejected', workflowId: `enrollment/${bad.id}` },
  ];
}

async function mailed({ suite }: Stage): Promise<Recording[]> {
  const run = await suite.temporal.workflow.signalWithStart('mailWorkflow', {
    workflowId: mailWorkflowId,
    taskQueue: 'proxie',
    signal: wakeMail,
    args: [],
  });
  return [{ name: 'mail.sent', workflowId: run.workflowId }];
}

/** As the Schedule starts it, and as somebody who stores an address does. */
async function imported({ suite, providers }: Stage): Promise<Recording[]> {
  const run = await suite.temporal.workflow.start(calendarImportType, {
    workflowId: calendarImportWorkflowId(),
    taskQueue: 'proxie',
    args: [{}],
  });
  const importId = providers[0]!.id;
  await importCalendarNow(suite.temporal, importId);
  return [
    { name: 'calendar-import.nothing-due', workflowId: run.workflowId },
    { name: 'calendar-import.woken', workflowId: calendarImportWorkflowId(importId) },
  ];
}

async function reconciled({ suite }: Stage): Promise<Recording[]> {
  return [{ name: 'reconcile.agreed', workflowId: await reconcile(suite, 'reconcile/agreed', 60_000) }];
}

/** The run is lost while the job is on; the reconciler starts it again from the request, the booking and, later, the reviews. */
async function rebuilt({ suite, providers, consumer }: Stage): Promise<Recording[]> {
  const requestId = await submitRequest(consumer);
  const [best] = await proposeAll(suite, providers, consumer, requestId);
  accepted(await consumer.post(`/offers/${best.id}/accept`));
  const job = await untilConfirmed(suite, requestId);
  const lost = await suite.temporal.workflow.getHandle(`request/${requestId}`).describe();
  await suite.temporal.workflow.getHandle(`request/${requestId}`).terminate('lost');
  const workflowId = await reconcile(suite, 'reconcile/repaired', 0);
  await eventually(
    () => suite.temporal.workflow.getHandle(`request/${requestId}`).describe(),
    ({ runId, status }) => runId !== lost.runId && status.name === 'RUNNING',
    { what: 'the new run' },
  );
  await carryOut(suite, requestId, job);
  await reviewBoth(job, consumer);
  return [request('rebuilt', requestId), { name: 'reconcile.repaired', workflowId }];
}

async function reconcile(suite: Suite, workflowId: string, quietMs: number): Promise<string> {
  const run = await suite.temporal.workflow.start('reconcileWorkflow', { workflowId, taskQueue: 'proxie', args: [{ quietMs }] });
  await run.result();
  return workflowId;
}

/** Nobody far out: three empty rounds. */
async function unfilled({ suite, consumer }: Stage): Promise<Recording[]> {
  const requestId = await submitRequest(consumer, { location: { place: 'Far out', lat: 10, lon: 10, zone: 'UTC' } });
  await untilStatus(suite, 'request', requestId, 'unfilled');
  return [request('unfilled', requestId)];
}

/** Asked, reminded, never answered; and one who answers, whom the consumer leaves waiting. */
async function silent({ suite, providers, consumer }: Stage): Promise<Recording[]> {
  const requestId = await submitRequest(consumer);
  await untilStatus(suite, 'request', requestId, 'unfilled');
  const undecided = await submitRequest(consumer);
  const { caller, offerId } = await invited(suite, providers[0]!, undecided);
  accepted(await caller.post(`/offers/${offerId}/propose`));
  await untilStatus(suite, 'request', undecided, 'unfilled');
  return [request('never-answered', requestId), request('undecided', undecided)];
}

/** A row was changed by hand: the run is marked for attention, waits, and goes on when the row is repaired. */
async function parked({ suite, consumer }: Stage): Promise<Recording[]> {
  const requestId = await submitRequest(consumer);
  await untilStatus(suite, 'request', requestId, 'offering');
  const handle = suite.temporal.workflow.getHandle(`request/${requestId}`);
  await suite.rows("update request set status = 'completed' where id = ?", [requestId]);
  await eventually(
    async () => (await handle.describe()).typedSearchAttributes.getAll().find(({ key }) => key.name === 'ProxieNeedsAttention')?.value,
    (value) => value === true,
    { what: 'the mark for attention' },
  );
  await suite.rows("update request set status = 'offering' where id = ?", [requestId]);
  await handle.signal(catchUp);
  await untilStatus(suite, 'request', requestId, 'unfilled');
  return [request('parked', requestId)];
}

async function abandoned({ suite, consumer }: Stage): Promise<Recording[]> {
  const { id } = accepted(await consumer.post('/requests', leakRequest()));
  await untilStatus(suite, 'request', id, 'abandoned');
  return [request('abandoned', id)];
}

/** A conversation that goes on as a new run after every turn. */
async function continued({ suite, consumer }: Stage): Promise<Recording[]> {
  const { requestId } = await say(consumer, 'Hello');
  await say(consumer, 'My kitchen sink is leaking', requestId);
  const handle = suite.temporal.workflow.getHandle(`request/${requestId}`);
  const { events } = await handle.fetchHistory();
  const { firstExecutionRunId: first } = events![0]!.workflowExecutionStartedEventAttributes!;
  await untilStatus(suite, 'request', requestId, 'abandoned');
  return [
    { ...request('continued-first', requestId), runId: first! },
    { ...request('continued-last', requestId), runId: (await handle.describe()).runId },
  ];
}
