import { describe, expect, it } from '@jest/globals';
import { emptyBooking } from '../../src/domain/booking/evolve.ts';
import type { BookingStatus } from '../../src/domain/booking/machine.ts';
import { emptyRequest } from '../../src/domain/request/evolve.ts';
import type { RequestStatus } from '../../src/domain/request/machine.ts';
import { emptyReview } from '../../src/domain/review/evolve.ts';
import type { HostedBooking } from '../../src/workflows/request/bookings.ts';
import { stageOf } from '../../src/workflows/request/stage.ts';
import { summaryOf } from '../../src/workflows/streams.ts';

const request = (status: RequestStatus) => ({ ...emptyRequest, status });
const booking = (status: BookingStatus, { settling = false, reviews }: { settling?: boolean; reviews?: 'open' | 'closed' } = {}) =>
  ({
    booking: { state: { ...emptyBooking, status, settling } },
    ...(reviews && { review: { state: { ...emptyReview, status: reviews } } }),
  }) as unknown as HostedBooking;

describe('the stage that operators filter by', () => {
  it.each<[string, RequestStatus, HostedBooking[]]>([
    ['intake', 'intake', []],
    ['offering', 'offering', [booking('cancelled')]],
    ['booked', 'booked', []],
    ['held', 'booked', [booking('held')]],
    ['confirmed', 'booked', [booking('cancelled'), booking('confirmed')]],
    ['in_progress', 'booked', [booking('in_progress')]],
    ['disputed', 'completed', [booking('disputed', { reviews: 'open' })]],
    ['disputed', 'offering', [booking('disputed')]],
    ['reviews open', 'completed', [booking('completed', { settling: true, reviews: 'open' })]],
    ['settling', 'completed', [booking('completed', { settling: true, reviews: 'closed' })]],
    ['settling', 'cancelled', [booking('cancelled', { settling: true })]],
    ['completed', 'completed', [booking('completed', { reviews: 'closed' })]],
    ['unfilled', 'unfilled', []],
  ])('is %s for a request that is %s', (stage, status, bookings) => {
    expect(stageOf(request(status), bookings)).toBe(stage);
  });
});

describe('the summary of an append', () => {
  const part = (stream: string, ...events: { type: string; stream?: string }[]) => ({ stream, after: 1, events });

  it('names the events; with several streams, their nouns come first', () => {
    expect(summaryOf([part('request/r', { type: 'offer.proposed' }, { type: 'round.closed' })])).toBe('offer.proposed, round.closed');
    expect(summaryOf([part('booking/b', { type: 'booking.completed' }), part('request/r', { type: 'request.completed' })])).toBe(
      'booking + request: booking.completed, request.completed',
    );
    expect(summaryOf([part('request/r', { type: 'offer.accepted' }, { type: 'booking.held', stream: 'booking/b' })])).toBe(
      'request + booking: offer.accepted, booking.held',
    );
  });

  it('fits into the field of the Web UI, however many events there are', () => {
    const many = Array.from({ length: 50 }, () => ({ type: 'offer.superseded' }));
    expect(summaryOf([part('request/r', ...many)]).length).toBeLessThanOrEqual(200);
  });
});
