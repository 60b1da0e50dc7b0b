import { defineEntity, p } from '@mikro-orm/core';
import { providerMachine } from '../../domain/provider/machine.ts';
import { insertedAt, json, minorUnits } from './columns.ts';
import { UserAccount } from './user.ts';

export const Provider = defineEntity({
  name: 'Provider',
  tableName: 'provider',
  checks: [
    {
      name: 'provider_calendar_check',
      expression: 'minimum_notice_minutes >= 0 and (horizon_days >= 1 and horizon_days <= 730) and (capacity >= 1 and capacity <= 100)',
    },
  ],
  properties: {
    id: () => p.oneToOne(UserAccount).primary().mapToPk().owner().fieldName('id').unique(false),
    displayName: p.text(),
    bio: p.text().default(''),
    status: p.enum([...providerMachine.statuses]).default(providerMachine.initial),
    zone: p.text(),
    lat: p.double(),
    lon: p.double(),
    radiusKm: p.double().default(15),
    portfolio: json<{ url: string; caption?: string }[]>().defaultRaw("'[]'"),
    minimumNoticeMinutes: p.integer().default(60),
    horizonDays: p.integer().default(60),
    dailyCap: p.integer().nullable(),
    capacity: p.integer().default(1),
    ratingSum: p.integer().default(0),
    ratingCount: p.integer().default(0),
    createdAt: insertedAt(),
  },
});

/** A service that a provider offers, with its price. The provider's position is copied here, so that one index serves matching. */
export const ProviderService = defineEntity({
  name: 'ProviderService',
  tableName: 'provider_service',
  primaryKeys: ['providerId', 'serviceCode'],
  indexes: [
    {
      name: 'provider_service_nearest_index',
      expression: (_columns, table, indexName) =>
        `create index "${indexName}" on ${table} using gist (service_code, position) where active`,
    },
  ],
  checks: [{ name: 'provider_service_numbers_check', expression: 'price >= 0 and (duration_minutes >= 5 and duration_minutes <= 1440)' }],
  properties: {
    providerId: () => p.manyToOne(Provider).mapToPk().primary().fieldName('provider_id').deleteRule('cascade'),
    serviceCode: p.text().primary(),
    price: minorUnits(),
    currency: p.text(),
    durationMinutes: p.integer(),
    bufferBeforeMinutes: p.integer().default(0),
    bufferAfterMinutes: p.integer().default(0),
    specialisations: p.array().columnType('text[]').defaultRaw("'{}'"),
    active: p.boolean().default(true),
    position: p.string().columnType('cube'),
  },
});

/** A weekly opening in the provider's zone. Minutes count from local midnight; the end may be 1440. */
export const AvailabilityRule = defineEntity({
  name: 'AvailabilityRule',
  tableName: 'availability_rule',
  primaryKeys: ['providerId', 'weekday', 'startMinute'],
  checks: [
    {
      name: 'availability_rule_check',
      expression: '(weekday >= 1 and weekday <= 7) and start_minute >= 0 and start_minute < end_minute and end_minute <= 1440',
    },
  ],
  properties: {
    providerId: () => p.manyToOne(Provider).mapToPk().primary().fieldName('provider_id').deleteRule('cascade'),
    weekday: p.smallint().primary().comment('ISO: 1 Monday … 7 Sunday'),
    startMinute: p.integer().primary(),
    endMinute: p.integer(),
  },
});

/** Dated exceptions: closed days (also ranges, for vacations) and extra hours. Dates are local to the provider's zone. */
export const AvailabilityException = defineEntity({
  name: 'AvailabilityException',
  tableName: 'availability_exception',
  indexes: [{ name: 'availability_exception_range_index', properties: ['providerId', 'fromDate', 'toDate'] }],
  checks: [
    { name: 'availability_exception_range_check', expression: 'from_date <= to_date' },
    {
      name: 'availability_exception_hours_check',
      expression: "(kind = 'closed') = (start_minute is null) and (start_minute is null) = (end_minute is null)",
    },
    { name: 'availability_exception_kind_check', expression: "kind in ('closed', 'extra')" },
  ],
  properties: {
    id: p.uuid().primary(),
    providerId: () => p.manyToOne(Provider).mapToPk().fieldName('provider_id').deleteRule('cascade'),
    kind: p.text(),
    fromDate: p.date(),
    toDate: p.date(),
    startMinute: p.integer().nullable(),
    endMinute: p.integer().nullable(),
    reason: p.text().nullable(),
  },
});

/** Places that people name in chat, with coordinates and zone: the offline gazetteer. */
export const Place = defineEntity({
  name: 'Place',
  tableName: 'place',
  properties: {
    name: p.text().primary(),
    aliases: p.array().columnType('text[]').defaultRaw("'{}'"),
    region: p.text(),
    lat: p.double(),
    lon: p.double(),
    zone: p.text(),
  },
});

export const CatalogueVersion = defineEntity({
  name: 'CatalogueVersion',
  tableName: 'catalogue_version',
  properties: {
    version: p.integer().primary().autoincrement(false),
    content: json<unknown>(),
    createdAt: insertedAt(),
  },
});
