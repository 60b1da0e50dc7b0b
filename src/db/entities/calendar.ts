import { defineEntity, p } from '@mikro-orm/core';
import { insertedAt, instant, interval } from './columns.ts';
import { Provider } from './provider.ts';

/** The address a provider's calendar app reads bookings from. Who knows the token may read: only its hash is kept. */
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

/** A calendar of the provider's own whose events make them busy here. The address is a secret of theirs. */
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
    /** When the server last said what is in it, or that nothing has changed. */
    lastReadAt: instant().nullable(),
    /** Of the last try (domain/calendar/feed.ts); what was read before stays. */
    fault: p.text().nullable(),
    /** In a row, and when the provider heard of them. */
    failures: p.integer().default(0),
    toldAt: instant().nullable(),
    /** Of the version that the busy times come from, with the zone and the day they were worked out for. */
    etag: p.text().nullable(),
    lastModified: p.text().nullable(),
    zone: p.text().nullable(),
    parsedAt: instant().nullable(),
    createdAt: insertedAt(),
  },
});

/** When an imported calendar says its provider is busy. Replaced as a whole, by one reading. */
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
