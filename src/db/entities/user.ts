import { defineEntity, p } from '@mikro-orm/core';
import { insertedAt, json } from './columns.ts';

/** Every user who has signed in. The id is also the consumer id and the provider id. */
export const UserAccount = defineEntity({
  name: 'UserAccount',
  tableName: 'user_account',
  uniques: [{ name: 'user_account_subject_unique', properties: ['issuer', 'subject'] }],
  checks: [{ name: 'user_account_status_check', expression: "status in ('active', 'suspended', 'erased')" }],
  properties: {
    id: p.uuid().primary(),
    issuer: p.text(),
    subject: p.text(),
    email: p.text().nullable(),
    displayName: p.text().nullable(),
    roles: p.array().columnType('text[]').defaultRaw("'{consumer}'"),
    status: p.text().default('active'),
    zone: p.text().default('UTC'),
    preferences: json<Record<string, unknown>>().defaultRaw("'{}'"),
    createdAt: insertedAt(),
  },
});
