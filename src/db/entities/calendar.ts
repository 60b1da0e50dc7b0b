import { defineEntity, p } from '@mikro-orm/core';
import { insertedAt, instant, interval } from './columns.ts';
import { Provider } from './provider.ts';

/**
 * The address from which a provider's calendar app reads bookings. Whoever has the token may read, so only the token's hash is
 * stored.
 */
export const CalendarFeed = defineEntity({
  name: 'CalendarFeed',
  tableName: 'calendar_feed',
  uniques: [{ name: 'calendar_feed_token_unique', properties: ['tokenHash'] }],
  properties: {
    providerId: () => p.manyToOne(Provider).mapToPk().primary().fieldName('provider_id').deleteRule('cascade'),
    tokenHash: p.text(),
    createdAt: insertedAt(),
  },
});

/** An external calendar of a provider. Its events make the provider busy here. Its address is a secret of the provider. */
export const CalendarImport = defineEntity({
  name: 'CalendarImport',
  tableName: 'calendar_import',
  uniques: [{ name: 'calendar_import_name_unique', properties: ['providerId', 'name'] }],
  indexes: [{ name: 'calendar_import_due_index', properties: ['nextTryAt'] }],
  properties: {
    id: p.uuid().primary(),
    providerId: () => p.manyToOne(Provider).mapToPk().fieldName('provider_id').deleteRule('cascade'),
    name: p.text(),
    url: p.text(),
    nextTryAt: instant(),
    /** When the server last sent the calendar, or last answered that the calendar has not changed. */
    lastReadAt: instant().nullable(),
    /** The fault of the last try (domain/calendar/feed.ts). Busy times from earlier readings stay. */
    fault: p.text().nullable(),
    /** Failed tries in a row; `toldAt` is when the provider was told about them. */
    failures: p.integer().default(0),
    toldAt: instant().nullable(),
    /**
     * `etag` and `lastModified` name the version that the busy times come from. `zone` and `parsedAt` say for which zone and
     * day they were computed.
     */
    etag: p.text().nullable(),
    lastModified: p.text().nullable(),
    zone: p.text().nullable(),
    parsedAt: instant().nullable(),
    createdAt: insertedAt(),
  },
});

/** A time in which an imported calendar makes its provider busy. Each reading replaces all rows of its calendar. */
export const BusyBlock = defineEntity({
  name: 'BusyBlock',
  tableName: 'busy_block',
  primaryKeys: ['importId', 'during'],
  indexes: [
    {
      name: 'busy_block_provider_index',
      expression: (_columns, table, indexName) => `create index "${indexName}" on ${table} using gist (provider_id, during)`,
    },
  ],
  properties: {
    importId: () => p.manyToOne(CalendarImport).mapToPk().primary().fieldName('import_id').deleteRule('cascade'),
    during: interval().primary(),
    providerId: () => p.manyToOne(Provider).mapToPk().fieldName('provider_id').deleteRule('cascade'),
  },
});
