import { defineEntity, p } from '@mikro-orm/core';
import { requestMachine } from '../../domain/request/machine.ts';
import { insertedAt, instant, json, looseId } from './columns.ts';
import { UserAccount } from './user.ts';

export const requestModes = ['compare', 'instant'] as const;

export const Request = defineEntity({
  name: 'Request',
  tableName: 'request',
  indexes: [
    { name: 'request_consumer_index', properties: ['consumerId', 'createdAt', 'id'] },
    {
      name: 'request_open_index',
      expression: (_c, table, name) =>
        `create index "${name}" on ${table} (id) where status in ('intake', 'matching', 'offering', 'booked')`,
    },
  ],
  properties: {
    id: p.uuid().primary(),
    consumerId: () => p.manyToOne(UserAccount).mapToPk().fieldName('consumer_id'),
    status: p.enum([...requestMachine.statuses]).default(requestMachine.initial),
    statusReason: p.text().nullable(),
    mode: p.enum([...requestModes]).default('compare'),
    serviceCode: p.text().nullable(),
    catalogueVersion: p.integer(),
    draftHash: p.text().nullable(),
    agreedFacts: p.array().columnType('uuid[]').nullable().comment('the facts that were sent out: all that is read from then on'),
    missing: p.array().columnType('text[]').defaultRaw("'{}'"),
    round: p.smallint().default(0),
    acceptedOfferId: looseId().nullable(),
    bookingId: looseId().nullable(),
    deadline: instant().nullable(),
    createdAt: insertedAt(),
    closedAt: instant().nullable(),
  },
});

/** The text of one chat message. It is stored before its id goes to the workflow, so the text never enters a history. */
export const Message = defineEntity({
  name: 'Message',
  tableName: 'message',
  indexes: [{ name: 'message_stream_index', properties: ['stream', 'createdAt', 'id'] }],
  checks: [{ name: 'message_author_role_check', expression: "author_role in ('guest', 'consumer', 'provider', 'admin')" }],
  properties: {
    id: p.uuid().primary(),
    stream: p.text(),
    authorId: looseId(),
    authorRole: p.text(),
    text: p.text(),
    turnId: looseId().nullable(),
    createdAt: insertedAt(),
  },
});

export const turnStatuses = ['pending', 'streaming', 'done', 'superseded', 'failed'] as const;

/** One answer of the assistant. */
export const Turn = defineEntity({
  name: 'Turn',
  tableName: 'turn',
  indexes: [{ name: 'turn_stream_index', properties: ['stream', 'createdAt', 'id'] }],
  properties: {
    id: p.uuid().primary(),
    stream: p.text(),
    status: p.enum([...turnStatuses]).default('pending'),
    attempt: p.smallint().default(0),
    intent: p.text().nullable(),
    reply: p.text().nullable(),
    outcome: json<unknown>().nullable().comment('what runTurn answered, so that a repeated run costs no second model call'),
    model: p.text().nullable(),
    promptVersion: p.text().nullable(),
    inputTokens: p.integer().default(0),
    outputTokens: p.integer().default(0),
    createdAt: insertedAt(),
    finishedAt: instant().nullable(),
  },
});

export const factStatuses = ['staged', 'current', 'replaced', 'rejected'] as const;

/** One typed value of a request. A turn or the API stages it; an event makes it current. */
export const Fact = defineEntity({
  name: 'Fact',
  tableName: 'fact',
  indexes: [{ name: 'fact_stream_index', properties: ['stream', 'status', 'key'] }],
  properties: {
    id: p.uuid().primary(),
    stream: p.text(),
    key: p.text(),
    value: json<unknown>(),
    status: p.enum([...factStatuses]).default('staged'),
    sourceMessageId: looseId().nullable(),
    confidence: p.float().default(1),
    confirmed: p.boolean().default(false),
    createdAt: insertedAt(),
  },
});

/** One provider who was considered in one round: the gate that kept them out, or the lines of their score. */
export const Candidate = defineEntity({
  name: 'Candidate',
  tableName: 'candidate',
  primaryKeys: ['requestId', 'round', 'providerId'],
  properties: {
    requestId: p.uuid().primary(),
    round: p.smallint().primary(),
    providerId: p.uuid().primary(),
    gates: p.array().columnType('text[]').defaultRaw("'{}'"),
    score: p.float().default(0),
    contributions: json<Record<string, number>>().defaultRaw("'{}'"),
    suggested: json<unknown>().nullable(),
    distanceKm: p.float(),
    invited: p.boolean().default(false),
    createdAt: insertedAt(),
  },
});
