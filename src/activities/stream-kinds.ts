// What the reconciler must know of each noun: the workflow of its streams, the workflow's input, and the statuses of its rows.
import type { SearchAttributePair, WorkflowIdReusePolicy } from '@temporalio/common';
import { bookingWorkflowId } from '../contracts/booking.messages.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import { seriesWorkflowId } from '../contracts/series.messages.ts';
import { occupyingStatuses } from '../domain/booking/machine.ts';
import { emptyBooking, evolveBooking } from '../domain/booking/evolve.ts';
import type { BookingHeld } from '../domain/booking/types.ts';
import { enrollmentMachine } from '../domain/enrollment/machine.ts';
import { emptyRequest, evolveRequest } from '../domain/request/evolve.ts';
import { requestMachine } from '../domain/request/machine.ts';
import type { RequestState } from '../domain/request/types.ts';
import { emptySeries, evolveSeries } from '../domain/series/evolve.ts';
import { seriesMachine } from '../domain/series/machine.ts';
import type { EventBase, Recorded } from '../domain/timeline.ts';
import { sql, type Db } from '../db/orm.ts';
import { emptyReview, evolveReview } from '../domain/review/evolve.ts';
import { emptyEnrollment, evolveEnrollment } from '../domain/enrollment/evolve.ts';

type AnyEvent = Recorded<EventBase>;

export interface StreamKind {
  workflowType: string;
  /** Workflow input, rebuilt from the first event. */
  inputOf(first: AnyEvent): object;
  /** Search attributes of the run, from the first event. The stage is not among them: the run sets it itself. */
  attributesOf(first: AnyEvent): SearchAttributePair[];
  /** Statuses in which the row of this noun (same name, same id) needs an open stream. */
  openStatuses?: readonly string[];
  /** Statuses according to the folded timeline, by `table/id`. */
  expected(events: AnyEvent[]): Record<string, string>;
  /** Statuses according to the rows, by `table/id`. */
  actual(em: Db, id: string): Promise<Record<string, string>>;
}

export const duplicate: WorkflowIdReusePolicy = 'ALLOW_DUPLICATE';

/** By noun, with which the name of a stream begins. */
export const streamKinds: Record<string, StreamKind> = {
  request: {
    workflowType: 'requestWorkflow',
    inputOf: (first) => pick(first, ['requestId', 'consumerId', 'mode', 'catalogueVersion', 'policy']),
    attributesOf,
    openStatuses: requestMachine.statuses.filter((status) => !requestMachine.terminal.includes(status)),
    expected(events) {
      const state = events.reduce((before: RequestState, event) => evolveRequest(before, event as never), emptyRequest);
      const offers = Object.entries(state.offers).map(([id, { status }]) => [`offer/${id}`, status]);
      return { [`request/${state.requestId}`]: state.status, ...Object.fromEntries(offers) };
    },
    actual: (em, id) =>
      statuses(
        em,
        "select 'request/' || id as key, status from request where id = ? union all select 'offer/' || id, status from offer where request_id = ?",
        [id, id],
      ),
  },
  booking: {
    workflowType: 'bookingWorkflow',
    inputOf: (first) => ({ bookingId: (first as unknown as BookingHeld).bookingId }),
    attributesOf,
    openStatuses: [...occupyingStatuses, 'disputed'],
    expected(events) {
      const state = events.reduce((before, event) => evolveBooking(before, event as never), emptyBooking);
      const key = bookingWorkflowId(state.booking!.bookingId);
      const payments = state.payments.map(({ attempt, status, captured, refunded }) => [
        `${key}/payment/${attempt}`,
        `${status} ${captured} ${refunded}`,
      ]);
      return { [key]: state.status, ...Object.fromEntries(payments) };
    },
    actual: (em, id) =>
      statuses(
        em,
        `select 'booking/' || id as key, status from booking where id = ? union all
         select 'booking/' || booking_id || '/payment/' || attempt, status || ' ' || captured || ' ' || refunded from payment where booking_id = ?`,
        [id, id],
      ),
  },
  series: {
    workflowType: 'seriesWorkflow',
    inputOf: (first) => pick(first, ['seriesId']),
    attributesOf,
    openStatuses: seriesMachine.statuses.filter((status) => !seriesMachine.terminal.includes(status)),
    expected(events) {
      const state = events.reduce((before, event) => evolveSeries(before, event as never), emptySeries);
      const key = seriesWorkflowId(state.series!.seriesId);
      const occurrences = state.occurrences.map(({ n, status, bookingId }) => [`${key}/${n}`, `${status} ${bookingId ?? ''}`]);
      return { [key]: state.status, ...Object.fromEntries(occurrences) };
    },
    actual: (em, id) =>
      statuses(
        em,
        `select 'series/' || id as key, status from series where id = ? union all
         select 'series/' || series_id || '/' || n, status || ' ' || coalesce(booking_id::text, '') from series_occurrence where series_id = ?`,
        [id, id],
      ),
  },
  enrollment: {
    workflowType: 'enrollmentWorkflow',
    inputOf: (first) => pick(first, ['enrollmentId', 'applicantId', 'policy']),
    attributesOf: (first) => [{ key: searchAttributes.consumer, value: (first as unknown as { applicantId: string }).applicantId }],
    openStatuses: enrollmentMachine.statuses.filter((status) => !enrollmentMachine.terminal.includes(status)),
    expected(events) {
      const state = events.reduce((before, event) => evolveEnrollment(before, event as never), emptyEnrollment);
      return { [`enrollment/${state.enrollmentId}`]: state.status };
    },
    actual: (em, id) => statuses(em, "select 'enrollment/' || id as key, status from enrollment where id = ?", [id]),
  },
  review: {
    workflowType: 'reviewWorkflow',
    inputOf: (first) => pick(first, ['bookingId']),
    attributesOf,
    // Compares only what the run decides: an operator may have hidden a review since.
    expected(events) {
      const state = events.reduce((before, event) => evolveReview(before, event as never), emptyReview);
      return Object.fromEntries(state.reviewIds.map((id) => [`review/${id}`, state.status === 'closed' ? 'published' : 'submitted']));
    },
    actual: (em, id) =>
      statuses(
        em,
        "select 'review/' || id as key, case status when 'submitted' then status else 'published' end as status from review where booking_id = ?",
        [id],
      ),
  },
};

async function statuses(em: Db, text: string, params: unknown[]): Promise<Record<string, string>> {
  // oxlint-disable-next-line proxie/constant-sql -- one text for each noun, above
  const rows = await sql<{ key: string; status: string }>(em, text, params);
  return Object.fromEntries(rows.map(({ key, status }) => [key, status]));
}

const pick = (from: object, keys: string[]) => Object.fromEntries(keys.map((key) => [key, (from as Record<string, unknown>)[key]]));

/** Both sides and the service, if the first event names them. */
function attributesOf(first: AnyEvent): SearchAttributePair[] {
  const { consumerId, providerId, service } = first as unknown as Partial<BookingHeld>;
  return [
    ...(consumerId ? [{ key: searchAttributes.consumer, value: consumerId }] : []),
    ...(providerId ? [{ key: searchAttributes.provider, value: providerId }] : []),
    ...(service ? [{ key: searchAttributes.service, value: service }] : []),
  ];
}
