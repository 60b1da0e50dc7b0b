// The texts above a run's history in the Web UI: ids, codes and instants, no personal data.
import type { BookingState } from '../domain/booking/types.ts';
import type { EnrollmentState } from '../domain/enrollment/types.ts';
import { formatMoney, type Currency } from '../domain/money.ts';
import type { RequestState } from '../domain/request/types.ts';
import type { ReviewState } from '../domain/review/types.ts';
import type { SeriesState } from '../domain/series/types.ts';
import type { HostedBooking } from './request/bookings.ts';

/** The request, its bookings and their reviews. */
export function describeRequest(state: RequestState, bookings: readonly HostedBooking[]): string {
  const lines = [
    `**${state.status}**${state.draft.service ? ` · ${state.draft.service}` : ''}${state.draft.region ? ` · ${state.draft.region}` : ''} · ${state.mode}`,
    state.status === 'intake' && state.draft.missing.length ? `Still missing: ${state.draft.missing.join(', ')}` : '',
    state.round
      ? `Round ${state.round}${state.closesAt ? `, closes ${state.closesAt}` : ''}${state.decideBy ? `, consumer decides by ${state.decideBy}` : ''}`
      : '',
  ].filter(Boolean);
  const offers = Object.entries(state.offers).map(
    ([id, offer]) =>
      `| ${id} | ${offer.providerId} | ${offer.status} | ${formatMoney({ amount: offer.price, currency: offer.currency })} | ${offer.startsAt} |`,
  );
  return [
    ...lines,
    ...(offers.length ? ['', '| offer | provider | status | price | starts |', '| --- | --- | --- | --- | --- |', ...offers] : []),
    ...bookings.flatMap((one) => ['', describeBooking(one)]),
  ].join('\n');
}

/** A booking and its reviews. */
export function describeBooking({ booking: { state }, review }: HostedBooking): string {
  const { booking } = state;
  if (!booking) return 'reading the timeline';
  return [
    `### booking/${booking.bookingId}: ${state.status}`,
    `${booking.service} · ${formatMoney({ amount: booking.price, currency: booking.currency })} · provider ${booking.providerId}`,
    `${booking.startsAt} to ${booking.endsAt} (${booking.zone})`,
    booking.seriesId ? `Request: request/${booking.requestId}` : '',
    state.reschedule ? `The ${state.reschedule.side} proposes ${state.reschedule.startsAt}, until ${state.reschedule.expiresAt}` : '',
    ...describeMoney(state, booking.currency),
    state.outcome ? `Outcome: ${state.outcome}` : '',
    review ? describeReviews(review.state) : '',
  ]
    .filter(Boolean)
    .join('\n\n');
}

const describeReviews = ({ status, sides, publishAt }: ReviewState): string =>
  `Reviews: **${status}** · consumer ${sides.consumer} · provider ${sides.provider}${status === 'closed' ? '' : ` · published by ${publishAt}`}`;

function describeMoney({ payments, stuck }: BookingState, currency: Currency): string[] {
  const amount = (value: number) => formatMoney({ amount: value, currency });
  const rows = payments.map(
    ({ attempt, status, amount: of, captured, refunded }) =>
      `| ${attempt} | ${status} | ${amount(of)} | ${amount(captured)} | ${amount(refunded)} |`,
  );
  return [
    stuck ? `**An operator is needed: ${stuck.step} gave up (${stuck.code})**` : '',
    rows.length ? ['| payment | status | amount | captured | refunded |', '| --- | --- | --- | --- | --- |', ...rows].join('\n') : '',
  ];
}

export function describeEnrollment(state: EnrollmentState): string {
  const { status, summary, checks } = state;
  const missing = summary.faults.map(({ field, message }) => `${field} (${message})`);
  const rows = Object.entries(checks).map(([check, outcome]) => `| ${check} | ${outcome} |`);
  return [
    `**${status}**${summary.services.length ? ` · ${summary.services.join(', ')}` : ''}${state.escalated ? ' · **an operator is needed: checks are overdue**' : ''}`,
    isDraft(status) && missing.length ? `Still missing: ${missing.join(', ')}` : '',
    state.checksBy ? `Checks due by ${state.checksBy}` : '',
    rows.length ? ['| check | outcome |', '| --- | --- |', ...rows].join('\n') : '',
  ]
    .filter(Boolean)
    .join('\n\n');
}

const isDraft = (status: EnrollmentState['status']) => status === 'draft' || status === 'changes_requested';

export function describeSeries({ status, series, occurrences }: SeriesState): string {
  if (!series) return 'reading the timeline';
  const { bookingId, service, price, currency, everyWeeks, zone, expiresAt } = series;
  const rows = occurrences.map(
    ({ n, status: is, startsAt, bookingId: id }) => `| ${n} | ${is} | ${startsAt} | ${id ? `booking/${id}` : ''} |`,
  );
  return [
    `**${status}** · ${service} · ${formatMoney({ amount: price, currency })} · every ${everyWeeks === 1 ? 'week' : `${everyWeeks} weeks`} (${zone})`,
    `Grown from booking/${bookingId}${status === 'proposed' ? `; the provider answers by ${expiresAt}` : ''}`,
    ['| occurrence | status | starts | booking |', '| --- | --- | --- | --- |', ...rows].join('\n'),
  ].join('\n\n');
}
