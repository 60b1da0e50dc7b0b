import { defineEntity, p } from '@mikro-orm/core';
import { actorRoles } from '../../domain/actor.ts';
import { insertedAt, instant, json, looseId } from './columns.ts';

/**
 * The timeline. The audit log, realtime, notifications and webhooks are made from it; there is no second log.
 * Because (stream, command_id, part) is unique, an insert shows by itself that a command was delivered twice.
 */
export const Event = defineEntity({
  name: 'Event',
  tableName: 'event',
  primaryKeys: ['stream', 'seq'],
  uniques: [
    { name: 'event_command_unique', properties: ['stream', 'commandId', 'part'] },
    { name: 'event_position_unique', properties: ['position'] },
  ],
  indexes: [{ name: 'event_audience_index', expression: (_c, table, name) => `create index "${name}" on ${table} using gin (audience)` }],
  checks: [
    { name: 'event_seq_check', expression: 'seq > 0 and part >= 0' },
    { name: 'event_actor_role_check', expression: `actor_role in (${actorRoles.map((role) => `'${role}'`).join(', ')})` },
  ],
  properties: {
    stream: p.text().primary(),
    seq: p.integer().primary().autoincrement(false),
    commandId: p.text(),
    part: p.smallint().default(0),
    type: p.text(),
    actorId: looseId(),
    actorRole: p.text(),
    onBehalfOf: looseId().nullable(),
    reason: p.text().nullable(),
    data: json<Record<string, unknown>>(),
    audience: p.array().columnType('uuid[]').defaultRaw("'{}'").comment('users who may see it'),
    at: instant(),
    position: p.bigint().autoincrement(),
    transaction: p
      .string()
      .columnType('xid8')
      .defaultRaw('pg_current_xact_id()')
      .comment('readers of the whole log stay below the oldest running one'),
  },
});

export const mailStatuses = ['waiting', 'sent', 'skipped', 'failed'] as const;

/**
 * One notification. It is in the inbox from the transaction of its event on, and is mailed later: at most once per row, as far
 * as SMTP allows.
 */
export const Notification = defineEntity({
  name: 'Notification',
  tableName: 'notification',
  uniques: [{ name: 'notification_event_unique', properties: ['stream', 'seq', 'recipientId', 'kind'] }],
  indexes: [
    { name: 'notification_recipient_index', properties: ['recipientId', 'createdAt', 'id'] },
    {
      name: 'notification_unsent_index',
      expression: (_c, table, name) => `create index "${name}" on ${table} (mail_after) where mail_status = 'waiting'`,
    },
  ],
  properties: {
    id: p.uuid().primary().defaultRaw('gen_random_uuid()'),
    recipientId: looseId(),
    kind: p.text(),
    stream: p.text(),
    seq: p.integer(),
    data: json<Record<string, unknown>>().defaultRaw("'{}'"),
    readAt: instant().nullable(),
    mailedAt: instant().nullable(),
    mailStatus: p.enum([...mailStatuses]).default('waiting'),
    mailAttempts: p.smallint().default(0),
    mailAfter: insertedAt().comment('not before: a claim that runs, or the pause after a failure'),
    createdAt: insertedAt(),
  },
});

/** Streams that are not finished. Exactly one run answers for each; the reconciler starts a missing run. */
export const OpenStream = defineEntity({
  name: 'OpenStream',
  tableName: 'open_stream',
  properties: {
    stream: p.text().primary(),
    openedAt: insertedAt(),
  },
});

export const IdempotencyKey = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_key',
  indexes: [{ name: 'idempotency_key_expiry_index', properties: ['expiresAt'] }],
  checks: [{ name: 'idempotency_key_state_check', expression: "state in ('in_flight', 'done')" }],
  properties: {
    id: p.text().primary(),
    actorId: looseId(),
    fingerprint: p.text(),
    state: p.text(),
    status: p.integer().nullable(),
    body: json<unknown>().nullable(),
    headers: json<Record<string, string>>().nullable(),
    lockedUntil: instant(),
    createdAt: insertedAt(),
    expiresAt: instant(),
  },
});
