// What the reconciler must know of each noun: the statuses of its rows according to its timeline.
import { bookingWorkflowId } from '../contracts/booking.messages.ts';
import { seriesWorkflowId } from '../contracts/series.messages.ts';
import { occupyingStatuses } from '../domain/booking/machine.ts';
import { emptyBooking, evolveBooking } from '../domain/booking/evolve.ts';
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
  /** Statuses in which the row of this noun (same name, same id) needs an open stream. */
  openStatuses?: readonly string[];
  /** Statuses according to the folded timeline, by `table/id`. */
  expected(events: AnyEvent[]): Record<string, string>;
  /** Statuses according to the rows, by `table/id`. */
  actual(em: Db, id: string): Promise<Record<string, string>>;
}

/** By noun, with which the name of a stream begins. */
export const streamKinds: Record<string, StreamKind> = {
  request: {
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
    openStatuses: enrollmentMachine.statuses.filter((status) => !enrollmentMachine.terminal.includes(status)),
    expected(events) {
      const state = events.reduce((before, event) => evolveEnrollment(before, event as never), emptyEnrollment);
      return { [`enrollment/${state.enrollmentId}`]: state.status };
    },
    actual: (em, id) => statuses(em, "select 'enrollment/' || id as key, status from enrollment where id = ?", [id]),
  },
  review: {
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
