import { defineEntity, p } from '@mikro-orm/core';
import { credentialKinds, credentialMachine, enrollmentMachine } from '../../domain/enrollment/machine.ts';
import { insertedAt, instant, json, looseId } from './columns.ts';
import { UserAccount } from './user.ts';

export const Enrollment = defineEntity({
  name: 'Enrollment',
  tableName: 'enrollment',
  indexes: [
    { name: 'enrollment_applicant_index', properties: ['applicantId', 'createdAt', 'id'] },
    { name: 'enrollment_status_index', properties: ['status', 'createdAt', 'id'] },
  ],
  properties: {
    id: p.uuid().primary(),
    applicantId: () => p.manyToOne(UserAccount).mapToPk().fieldName('applicant_id'),
    status: p.enum([...enrollmentMachine.statuses]).default(enrollmentMachine.initial),
    statusReason: p.text().nullable(),
    details: json<unknown>(),
    checks: json<unknown>().defaultRaw("'[]'"),
    createdAt: insertedAt(),
    decidedAt: instant().nullable(),
  },
});

/** One version of an application. It is staged in this row, so that names and numbers never enter a history. */
export const EnrollmentRevision = defineEntity({
  name: 'EnrollmentRevision',
  tableName: 'enrollment_revision',
  indexes: [{ name: 'enrollment_revision_index', properties: ['enrollmentId'] }],
  properties: {
    id: p.uuid().primary(),
    enrollmentId: looseId(),
    details: json<unknown>(),
    createdAt: insertedAt(),
  },
});

/** A proof with an end date: licence, insurance, identity, background check. */
export const Credential = defineEntity({
  name: 'Credential',
  tableName: 'credential',
  indexes: [{ name: 'credential_provider_index', properties: ['providerId', 'kind'] }],
  properties: {
    id: p.uuid().primary(),
    providerId: () => p.manyToOne(UserAccount).mapToPk().fieldName('provider_id'),
    kind: p.enum([...credentialKinds]),
    category: p.text().nullable(),
    status: p.enum([...credentialMachine.statuses]).default(credentialMachine.initial),
    reference: p.text(),
    validUntil: instant().nullable(),
    createdAt: insertedAt(),
  },
});
