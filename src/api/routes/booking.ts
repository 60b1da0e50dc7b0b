import { z } from 'zod';
import { BookingView, CancelPreview } from '../../contracts/booking.ts';
import { TimelineEntry } from '../../contracts/common.ts';
import { bookingFor, bookingWithPolicy, listBookings } from '../../db/queries/booking.ts';
import { timelineOf } from '../../db/queries/event.ts';
import { bookingMachine } from '../../domain/booking/machine.ts';
import { cancellationQuote } from '../../domain/booking/charge.ts';
import type { Policy } from '../../domain/policy.ts';
import { pageOf, PageQuery } from '../http/cursor.ts';
import type { Api } from '../http/deps.ts';
import { fingerprintOf } from '../http/idempotency.ts';
import { listPage, TimelineQuery } from '../http/listing.ts';
import { route } from '../http/route.ts';
import { iso } from '../../domain/time.ts';

const bookingId = z.strictObject({ bookingId: z.uuid() });
const readers = ['consumer', 'provider', 'admin'] as const;

/** What the two sides and operators read. Their commands stand in `booking-verbs.ts`. */
export function bookingRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      method: 'get',
      path: '/bookings',
      summary: 'Your bookings on either side, newest first',
      auth: readers,
      query: z.strictObject({ ...PageQuery.shape, status: z.enum(bookingMachine.statuses).optional() }),
      response: pageOf(BookingView),
      errors: [],
    },
    ({ query, actor }) => listPage(api, { name: 'bookings', actor, query }, (page) => listBookings(db(), actor, page)),
  );

  route(
    api,
    {
      method: 'get',
      path: '/bookings/:bookingId',
      summary: 'One booking',
      description:
        'Contact data and the full address are shown from `confirmed` on. They are hidden again after a cancellation, after a ruling, ' +
        'and after `disputeUntil` or `contestUntil`.',
      auth: readers,
      params: bookingId,
      response: BookingView,
      // The view of a booking also changes without an event: with the clock, a new code, or a changed name.
      etag: fingerprintOf,
      errors: ['not_found', 'not_owner'],
    },
    ({ params, actor }) => bookingFor(db(), actor, params.bookingId),
  );

  route(
    api,
    {
      method: 'get',
      path: '/bookings/:bookingId/cancel/preview',
      summary: 'What cancelling would cost you now',
      description: 'The sum that cancelling charges now. Send its `fee` along with the cancellation: the charge is then never higher.',
      auth: readers,
      params: bookingId,
      response: CancelPreview,
      errors: ['not_found', 'not_owner', 'invalid_transition'],
    },
    async ({ params, actor }) => {
      const { booking, policy } = await bookingWithPolicy(db(), actor, params.bookingId);
      return previewOf(booking, policy, actor.id === booking.consumer.id);
    },
  );

  route(
    api,
    {
      method: 'get',
      path: '/bookings/:bookingId/timeline',
      summary: 'What happened, in order',
      auth: readers,
      params: bookingId,
      query: TimelineQuery,
      response: z.strictObject({ items: z.array(TimelineEntry) }),
      errors: ['not_found', 'not_owner'],
    },
    async ({ params, query, actor }) => ({
      items: await timelineOf(db(), actor, { noun: 'booking', id: params.bookingId, owners: ['consumer_id', 'provider_id'], ...query }),
    }),
  );
}

/** The cost of cancelling now; only consumers pay for it. @throws invalid_transition when the booking cannot be cancelled */
function previewOf({ status, price, slot, payment }: BookingView, { cancellation }: Policy, paying: boolean): CancelPreview {
  bookingMachine.next(status, 'cancel');
  const free = { fee: 0, feePercent: 0, until: null };
  const { fee, feePercent, until } = paying ? cancellationQuote(price, slot.startsAt, cancellation, Date.now()) : free;
  const { currency } = price;
  return {
    fee: { amount: fee, currency },
    feePercent,
    released: payment && { amount: Math.max(0, payment.authorised.amount - fee), currency },
    until: until === null ? null : iso(until),
    policyVersion: cancellation.version,
  };
}
