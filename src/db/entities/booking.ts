import { defineEntity, p } from '@mikro-orm/core';
import { bookingMachine, occupyingStatuses } from '../../domain/booking.machine.ts';
import { reviewMachine } from '../../domain/review.machine.ts';
import { insertedAt, instant, interval, json, looseId, minorUnits } from './columns.ts';
import { Provider } from './provider.ts';
import { Request } from './request.ts';
import { UserAccount } from './user.ts';

const occupying = occupyingStatuses.map((status) => `'${status}'`).join(', ');

/**
 * A confirmed slot with its price and policy snapshot. `occupied` is the slot with its buffers: the database itself
 * refuses two bookings that occupy the same seat of a provider at the same time.
 */
export const Booking = defineEntity({
  name: 'Booking',
  tableName: 'booking',
  indexes: [
    { name: 'booking_consumer_index', properties: ['consumerId', 'createdAt', 'id'] },
    { name: 'booking_provider_index', properties: ['providerId', 'createdAt', 'id'] },
    { name: 'booking_request_index', properties: ['requestId'] },
  ],
  checks: [
    {
      name: 'booking_no_overlap',
      expression: `exclude using gist (provider_id with =, seat with =, occupied with &&) where (status in (${occupying}))`,
    },
    { name: 'booking_interval_check', expression: 'not isempty(during) and occupied @> during' },
    { name: 'booking_price_check', expression: 'price >= 0 and (final_price is null or final_price >= 0)' },
  ],
  properties: {
    id: p.uuid().primary(),
    requestId: () => p.manyToOne(Request).mapToPk().fieldName('request_id'),
    offerId: looseId(),
    consumerId: () => p.manyToOne(UserAccount).mapToPk().fieldName('consumer_id'),
    providerId: () => p.manyToOne(Provider).mapToPk().fieldName('provider_id'),
    serviceCode: p.text(),
    status: p.enum([...bookingMachine.statuses]).default(bookingMachine.initial),
    statusReason: p.text().nullable(),
    during: interval(),
    occupied: interval(),
    seat: p.smallint().default(0),
    zone: p.text(),
    price: minorUnits(),
    finalPrice: minorUnits().nullable(),
    currency: p.text(),
    policy: json<unknown>(),
    heldUntil: instant(),
    createdAt: insertedAt(),
    closedAt: instant().nullable(),
  },
});

export const Review = defineEntity({
  name: 'Review',
  tableName: 'review',
  uniques: [{ name: 'review_author_unique', properties: ['bookingId', 'authorRole'] }],
  indexes: [{ name: 'review_subject_index', properties: ['subjectId', 'publishedAt', 'id'] }],
  checks: [
    { name: 'review_rating_check', expression: '(rating >= 1 and rating <= 5)' },
    { name: 'review_author_role_check', expression: "author_role in ('consumer', 'provider')" },
  ],
  properties: {
    id: p.uuid().primary(),
    bookingId: () => p.manyToOne(Booking).mapToPk().fieldName('booking_id'),
    authorId: looseId(),
    authorRole: p.text(),
    subjectId: looseId(),
    status: p.enum([...reviewMachine.statuses]).default(reviewMachine.initial),
    rating: p.smallint(),
    text: p.text().default(''),
    reply: p.text().nullable(),
    reported: p.boolean().default(false),
    createdAt: insertedAt(),
    publishedAt: instant().nullable(),
  },
});

/** The text of a review on its way in: the run hears of its id only, and the projector takes it from here. */
export const ReviewDraft = defineEntity({
  name: 'ReviewDraft',
  tableName: 'review_draft',
  properties: {
    id: p.uuid().primary(),
    bookingId: looseId(),
    authorId: looseId(),
    text: p.text(),
    createdAt: insertedAt(),
  },
});
