// The search attributes that operators filter by. They say what a person would say about the request.
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import type { RequestState } from '../../domain/request/types.ts';
import type { HostedBooking } from './bookings.ts';

export interface Stages {
  /** Updates the attributes when the stage has changed. Each upsert is billed, so there is one per stage in which somebody waits. */
  show(request: RequestState, bookings: readonly HostedBooking[]): void;
}

export function stagesOf(): Stages {
  let shown = `${workflowInfo().typedSearchAttributes.get(searchAttributes.stage)} 0`;
  return {
    show(request, bookings) {
      const stage = stageOf(request, bookings);
      const now = `${stage} ${stage === 'offering' ? request.round : 0}`;
      // `matching` is left out: it ends within the task that begins it. So is the end of a run whose reviews were open: nobody waits any more,
      // and the run's own status and result tell it.
      if (stage === 'matching' || now === shown || shown === `${reviewsOpen} 0`) return;
      shown = now;
      const { draft, closesAt, decideBy } = request;
      const deadline = closesAt ?? decideBy;
      const newest = bookings.at(-1)?.booking.state.booking;
      upsertSearchAttributes([
        { key: searchAttributes.stage, value: stage },
        { key: searchAttributes.deadline, value: deadline ? new Date(deadline) : null },
        ...(draft.service ? [{ key: searchAttributes.service, value: draft.service }] : []),
        ...(draft.region ? [{ key: searchAttributes.region, value: draft.region }] : []),
        ...(newest ? [{ key: searchAttributes.provider, value: newest.providerId }] : []),
        ...(newest ? [{ key: searchAttributes.booking, value: request.bookings }] : []),
      ]);
    },
  };
}

const reviewsOpen = 'reviews open';

/** The stage by the name that a person would use. */
export function stageOf(request: RequestState, bookings: readonly HostedBooking[]): string {
  const states = bookings.map(({ booking }) => booking.state);
  if (states.some(({ status }) => status === 'disputed')) return 'disputed';
  if (request.status === 'booked') return states.at(-1)?.status ?? request.status;
  if (request.status === 'matching' || request.status === 'offering' || request.status === 'intake') return request.status;
  if (bookings.some(({ review }) => review && review.state.status !== 'closed')) return reviewsOpen;
  return states.some(({ settling }) => settling) ? 'settling' : request.status;
}
