// Plays the steps that each operation with a request body needs before its documented example can be sent.
import { randomUUID } from 'node:crypto';
import { book, minuteMs, quarter, runEnded, type BookOptions, type Booked } from '../support/booked.ts';
import type { FeedServer } from '../support/feed-server.ts';
import { caller, eventually, type Caller, type Json } from '../support/http.ts';
import { storeMethod, untilTimeline, type PaidSuite } from '../support/paid.ts';
import { accepted, codeOf, review, untilStatus } from '../support/play.ts';

/** The sender of an example, its path parameters, and the replaced parts of the example. */
export interface Scene {
  by: Caller;
  params?: Record<string, string>;
  /** Values that a document cannot know: values that Proxie has just made, or an address that a test may fetch. */
  replaced?: Record<string, string>;
}
export type Plays = Record<string, () => Promise<Scene>>;

const dayMs = 1_440 * minuteMs;

/** @param example the documented example of an operation */
export function playsIn(suite: PaidSuite, feeds: FeedServer, example: (operation: string) => Json): Plays {
  const consumer = () => suite.as(`consumer-${randomUUID()}`, 'consumer');
  const operator = () => suite.as('demo-operator', 'admin');
  /** A provider of the demo city who plays in only one scene. */
  let neighbours = 0;
  const neighbour = () => suite.as(`city-provider-${(neighbours += 1)}`, 'provider');

  async function request(more: object = {}, who?: Caller): Promise<{ by: Caller; id: string; draftHash: string }> {
    const by = who ?? (await consumer());
    const { id, draftHash } = accepted(await by.post('/requests', { ...example('POST /requests'), ...more }));
    return { by, id, draftHash };
  }
  /** A request that was sent out, with the first invited provider. */
  async function offered(who?: Caller): Promise<{ by: Caller; provider: Caller; params: { offerId: string } }> {
    const { by, id } = await request({}, who);
    const asked = await eventually(
      () =>
        suite.rows<{ offerId: string; subject: string }>(
          'select o.id as "offerId", u.subject from offer o join user_account u on u.id = o.provider_id where o.request_id = ?',
          [id],
        ),
      (rows) => rows.length > 0,
      { what: 'the invitations' },
    );
    const { offerId, subject } = asked[0]!;
    return { by, provider: await suite.as(subject, 'provider'), params: { offerId } };
  }
  /** Scenes run in parallel and may share a provider. Each scene proposes another hour, so that scenes do not take the same slot. */
  async function proposed(hoursLater: number, who?: Caller) {
    const scene = await offered(who);
    const path = `/offers/${scene.params.offerId}`;
    const { slot } = accepted(await scene.provider.get(path));
    const later = (at: string) => new Date(Date.parse(at) + hoursLater * 60 * minuteMs).toISOString();
    accepted(
      await scene.provider.post(`${path}/propose`, { slot: { ...slot, startsAt: later(slot.startsAt), endsAt: later(slot.endsAt) } }),
    );
    return scene;
  }

  const of = ({ id }: Booked, by: Caller): Scene => ({ by, params: { bookingId: id } });
  const booked = (startsInMs: number, options: BookOptions = {}) => book(suite, { startsAt: quarter(startsInMs), ...options });
  const soon = () => booked(30 * minuteMs);
  const later = () => booked(3 * dayMs);
  const missed = () => booked(-75 * minuteMs);
  async function completed(): Promise<Booked> {
    const booking = await soon();
    accepted(await booking.consumer.post(`${booking.path}/check-in`));
    accepted(await booking.provider.post(`${booking.path}/complete`));
    return booking;
  }
  async function published(): Promise<Scene> {
    const booking = await completed();
    await review(booking.id, booking.consumer);
    await review(booking.id, booking.provider);
    const rows = await eventually(
      () =>
        suite.rows<{ id: string; status: string }>('select id, status from review where booking_id = ? and subject_id = ?', [
          booking.id,
          booking.providerId,
        ]),
      ([row]) => row?.status === 'published',
      { what: 'the publication of both reviews' },
    );
    return { by: booking.provider, params: { reviewId: rows[0]!.id } };
  }

  /** A series that was proposed with the example of its own operation. */
  async function proposedSeries(): Promise<{ booking: Booked; seriesId: string }> {
    const booking = await soon();
    const { id } = accepted(await booking.consumer.post('/series', { ...example('POST /series'), bookingId: booking.id }));
    return { booking, seriesId: id };
  }
  async function series(side: 'consumer' | 'provider'): Promise<Scene> {
    const { booking, seriesId } = await proposedSeries();
    return { by: booking[side], params: { seriesId } };
  }
  /** An occurrence of an accepted series. The first four are booked at once; the fifth is not booked yet and can be changed. */
  async function fifthOccurrence(): Promise<Scene> {
    const { booking, seriesId } = await proposedSeries();
    accepted(await booking.provider.post(`/series/${seriesId}/accept`));
    return { by: booking.consumer, params: { seriesId, n: '5' } };
  }

  async function application(body: object = {}): Promise<{ by: Caller; params: { enrollmentId: string } }> {
    const by = await consumer();
    return { by, params: { enrollmentId: accepted(await by.post('/enrollments', body)).id } };
  }
  const whole = () => application(example('POST /enrollments'));

  return {
    'PATCH /me': async () => ({ by: await consumer() }),
    'PUT /me/payment-method': async () => ({ by: await consumer() }),

    'POST /chat': async () => ({ by: await consumer() }),
    'POST /chat/{requestId}/claim': async () => {
      const { accessToken } = accepted(await suite.anonymous.post('/auth/guest'));
      const { requestId } = accepted(await caller(suite.url, accessToken).post('/chat', example('POST /chat')));
      return { by: await consumer(), params: { requestId }, replaced: { guestToken: accessToken } };
    },

    'POST /requests': async () => ({ by: await consumer() }),
    'PATCH /requests/{requestId}': async () => {
      const { by, id } = await request({ submit: false });
      return { by, params: { requestId: id } };
    },
    'POST /requests/{requestId}/submit': async () => {
      const { by, id, draftHash } = await request({ submit: false });
      return { by, params: { requestId: id }, replaced: { draftHash } };
    },
    'POST /requests/{requestId}/cancel': async () => {
      const { by, id } = await request();
      return { by, params: { requestId: id } };
    },

    'POST /offers/{offerId}/propose': async () => {
      const { provider, params } = await offered();
      return { by: provider, params };
    },
    'POST /offers/{offerId}/counter': () => proposed(0),
    'POST /offers/{offerId}/accept': async () => {
      const scene = await proposed(2);
      await storeMethod(scene.by, example('PUT /me/payment-method').method);
      return scene;
    },
    'POST /offers/{offerId}/decline': () => proposed(0),
    'POST /offers/{offerId}/withdraw': async () => {
      const { provider, params } = await proposed(0);
      return { by: provider, params };
    },

    'POST /bookings/{bookingId}/check-in': async () => {
      const booking = await soon();
      return { ...of(booking, booking.provider), replaced: { code: await codeOf(suite, booking.id) } };
    },
    'POST /bookings/{bookingId}/check-in-code': async () => {
      const booking = await later();
      return of(booking, booking.consumer);
    },
    'POST /bookings/{bookingId}/no-show': async () => {
      const booking = await missed();
      return of(booking, booking.consumer);
    },
    'POST /bookings/{bookingId}/pay': async () => {
      const by = await consumer();
      await storeMethod(by, 'pm_card_chargeCustomerFail');
      const { params } = await proposed(4, by);
      const { bookingId } = accepted(await by.post(`/offers/${params.offerId}/accept`));
      await untilTimeline(suite, bookingId, 'booking.held', 'payment.requested', 'payment.declined', 'booking.hold_extended');
      await storeMethod(by, example('PUT /me/payment-method').method);
      return { by, params: { bookingId } };
    },
    'POST /bookings/{bookingId}/reschedule': async () => {
      const booking = await later();
      return of(booking, booking.consumer);
    },
    'POST /bookings/{bookingId}/reschedule/answer': async () => {
      const booking = await later();
      accepted(await booking.consumer.post(`${booking.path}/reschedule`, example('POST /bookings/{bookingId}/reschedule')));
      return of(booking, booking.provider);
    },
    'POST /bookings/{bookingId}/cancel': async () => {
      const booking = await later();
      return of(booking, booking.consumer);
    },
    'POST /bookings/{bookingId}/complete': async () => {
      const booking = await soon();
      accepted(await booking.consumer.post(`${booking.path}/check-in`));
      return of(booking, booking.provider);
    },
    'POST /bookings/{bookingId}/contest': async () => {
      const booking = await missed();
      accepted(await booking.consumer.post(`${booking.path}/no-show`));
      await runEnded(suite, booking);
      return of(booking, booking.provider);
    },
    'POST /bookings/{bookingId}/dispute': async () => {
      const booking = await completed();
      return of(booking, booking.consumer);
    },

    'POST /bookings/{bookingId}/review': async () => {
      const booking = await completed();
      return of(booking, booking.consumer);
    },
    'POST /reviews/{reviewId}/reply': published,
    'POST /reviews/{reviewId}/report': published,

    'POST /series': async () => {
      const { consumer: by, id } = await soon();
      return { by, replaced: { bookingId: id } };
    },
    'POST /series/{seriesId}/accept': () => series('provider'),
    'POST /series/{seriesId}/decline': () => series('provider'),
    'POST /series/{seriesId}/end': () => series('consumer'),
    'POST /series/{seriesId}/occurrences/{n}/skip': fifthOccurrence,
    'POST /series/{seriesId}/occurrences/{n}/move': fifthOccurrence,

    'POST /enrollments': async () => ({ by: await consumer() }),
    'PATCH /enrollments/{enrollmentId}': application,
    'POST /enrollments/{enrollmentId}/submit': whole,
    'POST /enrollments/{enrollmentId}/withdraw': whole,
    'POST /enrollments/{enrollmentId}/decide': async () => {
      const { by, params } = await whole();
      accepted(await by.post(`/enrollments/${params.enrollmentId}/submit`));
      await untilStatus(suite, 'enrollment', params.enrollmentId, 'in_review');
      return { by: await operator(), params };
    },

    'PATCH /providers/me': async () => ({ by: await neighbour() }),
    'PUT /providers/me/availability': async () => ({ by: await neighbour() }),
    'PUT /providers/me/services/{code}': async () => ({
      by: await neighbour(),
      params: { code: example('POST /enrollments').services[0].code },
    }),
    'POST /providers/me/exceptions': async () => ({ by: await neighbour() }),
    'PUT /providers/me/exceptions/{exceptionId}': async () => {
      const by = await neighbour();
      const { id } = accepted(await by.post('/providers/me/exceptions', example('POST /providers/me/exceptions')));
      return { by, params: { exceptionId: id } };
    },
    'PUT /providers/me/calendar-imports/{name}': async () => ({
      by: await neighbour(),
      params: { name: 'private' },
      replaced: { url: `${feeds.origin}/alice.ics` },
    }),

    'POST /admin/bookings/{bookingId}/intervene': async () => of(await later(), await operator()),
    'POST /admin/requests/{requestId}/intervene': async () => {
      const { id } = await request();
      await untilStatus(suite, 'request', id, 'offering');
      return { by: await operator(), params: { requestId: id } };
    },
  };
}
