import { defineEntity, p } from '@mikro-orm/core';
import { bookingMachine, occupyingStatuses } from '../../domain/booking/machine.ts';
import { reviewMachine } from '../../domain/review/machine.ts';
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
    {
      name: 'booking_start_index',
      expression: (_columns, table, indexName) => `create index "${indexName}" on ${table} (provider_id, lower(during))`,
    },
    { name: 'booking_series_index', properties: ['seriesId'] },
  ],
  checks: [
    {
      name: 'booking_no_overlap',
      expression: `exclude using gist (provider_id with =, seat with =, occupied with &&) where (status in (${occupying}))`,
    },
    { name: 'booking_interval_check', expression: 'not isempty(during) and occupied @> during' },
    {
      name: 'booking_price_check',
      expression:
        'price >= 0 and (final_price is null or final_price >= 0) and (fee is null or fee >= 0) and (refund is null or refund >= 0)',
    },
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
    fee: minorUnits().nullable().comment('what a cancellation or a no-show costs the consumer'),
    refund: minorUnits().nullable().comment('what a ruling gives back'),
    reschedule: json<unknown>().nullable().comment('the proposed slot that waits for an answer'),
    seriesId: p.uuid().nullable(),
    heldUntil: instant(),
    createdAt: insertedAt(),
    closedAt: instant().nullable(),
  },
});

/** The code that the consumer shows at the door, and the number of wrong tries. No event and no history holds the code. */
export const CheckInCode = defineEntity({
  name: 'CheckInCode',
  tableName: 'check_in_code',
  checks: [{ name: 'check_in_code_check', expression: "code ~ '^[0-9]{6}$' and wrong >= 0" }],
  properties: {
    bookingId: () => p.oneToOne(Booking).primary().mapToPk().owner().fieldName('booking_id').unique(false),
    code: p.text(),
    wrong: p.smallint().default(0),
    createdAt: insertedAt(),
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

/** The text of a review that is not submitted yet. The run gets only its id; the projector copies the text from here. */
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
