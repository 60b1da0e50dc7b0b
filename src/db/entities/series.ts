import { defineEntity, p } from '@mikro-orm/core';
import { occurrenceMachine, seriesMachine } from '../../domain/series/machine.ts';
import { Booking } from './booking.ts';
import { insertedAt, instant, interval, json, minorUnits } from './columns.ts';
import { Provider } from './provider.ts';
import { UserAccount } from './user.ts';

/** A booking that repeats, with the terms that both sides agreed to once. */
export const Series = defineEntity({
  name: 'Series',
  tableName: 'series',
  indexes: [
    { name: 'series_consumer_index', properties: ['consumerId', 'createdAt', 'id'] },
    { name: 'series_provider_index', properties: ['providerId', 'createdAt', 'id'] },
  ],
  checks: [{ name: 'series_terms_check', expression: 'price >= 0 and every_weeks > 0' }],
  properties: {
    id: p.uuid().primary(),
    bookingId: () => p.manyToOne(Booking).mapToPk().fieldName('booking_id'),
    consumerId: () => p.manyToOne(UserAccount).mapToPk().fieldName('consumer_id'),
    providerId: () => p.manyToOne(Provider).mapToPk().fieldName('provider_id'),
    serviceCode: p.text(),
    status: p.enum([...seriesMachine.statuses]).default(seriesMachine.initial),
    statusReason: p.text().nullable(),
    everyWeeks: p.smallint(),
    zone: p.text(),
    price: minorUnits(),
    currency: p.text(),
    expiresAt: instant(),
    createdAt: insertedAt(),
    closedAt: instant().nullable(),
  },
});

/** One time of a series. Once it is `booked`, the row of its booking holds the slot that counts. */
export const SeriesOccurrence = defineEntity({
  name: 'SeriesOccurrence',
  tableName: 'series_occurrence',
  primaryKeys: ['seriesId', 'n'],
  uniques: [{ name: 'series_occurrence_booking_unique', properties: ['bookingId'] }],
  checks: [
    { name: 'series_occurrence_check', expression: 'n > 0 and not isempty(during)' },
    { name: 'series_occurrence_booked_check', expression: "(status = 'booked') = (booking_id is not null)" },
  ],
  properties: {
    seriesId: () => p.manyToOne(Series).mapToPk().primary().fieldName('series_id').deleteRule('cascade'),
    n: p.smallint().primary(),
    status: p.enum([...occurrenceMachine.statuses]).default(occurrenceMachine.initial),
    during: interval(),
    bookingId: p.uuid().nullable(),
    code: p.text().nullable().comment('why it was not booked'),
    alternatives: json<unknown>().nullable().comment('slots that were free near it then'),
  },
});
