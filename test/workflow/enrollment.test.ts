import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { rebuild } from '../../src/activities/rebuild.ts';
import { enrollmentUpdates, enrollmentWorkflowId, verificationResult } from '../../src/contracts/enrollment.messages.ts';
import { fromFailure } from '../../src/contracts/failures.ts';
import { stageRevision } from '../../src/db/queries/enrollment.ts';
import { type ApplicationDetails, knownParts } from '../../src/domain/enrollment/application.ts';
import { seedCatalogue } from '../../src/domain/intake/catalogue-seed.ts';
import { defaultPolicy, type Policy } from '../../src/domain/policy.ts';
import type { CheckOutcome } from '../../src/domain/enrollment/types.ts';
import { offlineVerification, type Verification } from '../../src/integrations/verification.ts';
import { readableHistory } from '../support/history.ts';
import { eventually } from '../support/http.ts';
import { startSuite, type Suite } from '../support/suite.ts';
import { applicationParts } from '../../src/domain/enrollment/application-parts.ts';

const plumber: ApplicationDetails = {
  displayName: 'Ana of the Pipes',
  bio: 'Twenty years',
  zone: 'America/New_York',
  location: { lat: 40.7128, lon: -74.006 },
  radiusKm: 20,
  services: [{ code: 'plumbing.leak', price: { amount: 15_000, currency: 'USD' }, durationMinutes: 60 }],
  availability: [{ weekday: 1, startMinute: 480, endMinute: 1020 }],
  credentials: [{ kind: 'licence', category: 'plumbing', reference: 'NY-SECRET-12345', validUntil: '2035-01-01T00:00:00.000Z' }],
  portfolio: [{ url: 'https://photos.example/1.jpg' }],
};
const operator = { id: '00000000-0000-4000-8000-0000000000ee', role: 'admin' as const };

let suite: Suite;
/** The next answer of the vendor. Any other value than an outcome makes the vendor fail. */
let vendor: Verification['check'];

beforeAll(async () => {
  suite = await startSuite({ api: false, deps: { verification: { check: (...claim) => vendor(...claim) } } });
});
afterAll(() => suite.close());

const refused = (code: string) => (error: unknown) => {
  expect(fromFailure(error)?.code).toBe(code);
};

/** An applicant with an application in its first version. */
async function apply(details: ApplicationDetails = plumber, policy: Partial<Policy> = {}) {
  vendor = offlineVerification().check;
  const [applicant, enrollmentId] = [randomUUID(), randomUUID()];
  const by = { id: applicant, role: 'consumer' as const };
  const workflowId = enrollmentWorkflowId(enrollmentId);
  await suite.rows('insert into user_account (id, issuer, subject) values (?, ?, ?)', [applicant, 'test', applicant]);
  const handle = suite.temporal.workflow.getHandle(workflowId);
  const write = async (written: ApplicationDetails) => {
    const revisionId = randomUUID();
    await stageRevision(suite.orm.em.fork(), revisionId, enrollmentId, written);
    const changed = applicationParts.filter((part) => written[part] !== undefined);
    return { id: randomUUID(), by, revisionId, changes: { basedOn: 1_000, changed, parts: knownParts(seedCatalogue, written) } };
  };
  const first = await write(details);
  await suite.temporal.workflow.executeUpdateWithStart(enrollmentUpdates.updateApplication, {
    args: [first],
    updateId: first.id,
    startWorkflowOperation: new WithStartWorkflowOperation('enrollmentWorkflow', {
      workflowId,
      taskQueue: 'proxie',
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{ enrollmentId, applicantId: applicant, policy: { ...defaultPolicy, ...policy } }],
    }),
  });
  return {
    applicant,
    enrollmentId,
    handle,
    update: async (written: ApplicationDetails) =>
      handle.executeUpdate(enrollmentUpdates.updateApplication, { args: [await write(written)] }),
    submit: (id = randomUUID()) => handle.executeUpdate(enrollmentUpdates.submitApplication, { args: [{ id, by }], updateId: id }),
    withdraw: () => handle.executeUpdate(enrollmentUpdates.withdrawApplication, { args: [{ id: randomUUID(), by }] }),
    decide: (verdict: 'approve' | 'reject' | 'request_changes', reason?: string) =>
      handle.executeUpdate(enrollmentUpdates.decideApplication, { args: [{ id: randomUUID(), by: operator, verdict, reason }] }),
    status: async () => (await suite.rows<{ status: string }>('select status from enrollment where id = ?', [enrollmentId]))[0]?.status,
    until: (status: string) =>
      eventually(
        () => suite.rows<{ status: string }>('select status from enrollment where id = ?', [enrollmentId]),
        ([row]) => row?.status === status,
        { what: status },
      ),
    types: async () =>
      (await suite.rows<{ type: string }>('select type from event where stream = ? order by seq', [workflowId])).map(({ type }) =>
        type.replace('enrollment.', ''),
      ),
  };
}

describe('an application that is approved', () => {
  it('makes a provider who can be matched, within its budget, and leaves nothing private in the history', async () => {
    const application = await apply();
    expect(await application.submit()).toMatchObject({ status: 'submitted' });
    await application.until('in_review');
    expect(await application.decide('approve')).toMatchObject({ status: 'approved' });
    expect(await application.handle.result()).toEqual({ outcome: 'approved' });

    const id = application.applicant;
    expect(await suite.rows('select display_name, zone, radius_km, status, portfolio from provider where id = ?', [id])).toEqual([
      {
        display_name: 'Ana of the Pipes',
        zone: 'America/New_York',
        radius_km: 20,
        status: 'active',
        portfolio: [{ url: 'https://photos.example/1.jpg' }],
      },
    ]);
    expect(
      await suite.rows(
        `select service_code, price, duration_minutes, earth_distance(position, ll_to_earth(40.7128, -74.006)) < 1 as here from provider_service where provider_id = ?`,
        [id],
      ),
    ).toEqual([{ service_code: 'plumbing.leak', price: 15_000, duration_minutes: 60, here: true }]);
    expect(await suite.rows('select weekday, start_minute, end_minute from availability_rule where provider_id = ?', [id])).toEqual([
      { weekday: 1, start_minute: 480, end_minute: 1020 },
    ]);
    expect(await suite.rows('select kind, category, status from credential where provider_id = ?', [id])).toEqual([
      { kind: 'licence', category: 'plumbing', status: 'verified' },
    ]);
    expect(await suite.rows('select roles from user_account where id = ?', [id])).toEqual([{ roles: ['consumer', 'provider'] }]);
    expect(await suite.rows('select kind from notification where recipient_id = ?', [id])).toEqual([{ kind: 'enrollment_approved' }]);
    expect(await application.types()).toEqual(['opened', 'updated', 'submitted', 'checking', 'checked', 'in_review', 'approved']);

    const { text, events } = await readableHistory(application.handle);
    expect(text).toContain(id); // Proves that the search finds text in payloads.
    for (const secret of ['Ana of the Pipes', 'NY-SECRET-12345', 'Twenty years']) expect(text).not.toContain(secret);
    expect(events).toBeLessThanOrEqual(48);
  });

  it('given it is handed in twice with one id, it is checked once', async () => {
    const application = await apply();
    const id = randomUUID();
    await Promise.all([application.submit(id), application.submit(id)]);
    await application.until('in_review');
    expect((await application.types()).filter((type) => type === 'submitted')).toHaveLength(1);
    await application.decide('reject', 'test');
  });
});

describe('an application that is not ready', () => {
  it('given a missing licence, handing it in is refused; with it, it goes through', async () => {
    const application = await apply({ ...plumber, credentials: [] });
    await application.submit().then(() => expect(true).toBe(false), refused('draft_incomplete'));
    await application.update(plumber);
    await application.submit();
    await application.until('in_review');
    await application.decide('reject', 'test');
    expect(await application.handle.result()).toEqual({ outcome: 'rejected' });
    expect(await suite.rows('select 1 from provider where id = ?', [application.applicant])).toEqual([]);
  });

  it('given a version that was never stored, nothing changes', async () => {
    const application = await apply();
    const command = {
      id: randomUUID(),
      by: { id: application.applicant, role: 'consumer' as const },
      revisionId: randomUUID(),
      changes: { basedOn: 1_000, changed: [], parts: {} },
    };
    await application.handle
      .executeUpdate(enrollmentUpdates.updateApplication, { args: [command] })
      .then(() => expect(true).toBe(false), refused('not_found'));
    expect(await application.types()).toEqual(['opened', 'updated']);
    await application.withdraw();
    expect(await application.handle.result()).toEqual({ outcome: 'withdrawn' });
  });

  it('given changes are requested, it comes back and a new version is approved', async () => {
    const application = await apply({ ...plumber, credentials: [{ ...plumber.credentials![0]!, reference: 'nonsense' }] });
    await application.submit();
    await application.until('in_review');
    expect(await suite.rows('select checks from enrollment where id = ?', [application.enrollmentId])).toEqual([
      { checks: [{ check: 'licence/plumbing', outcome: 'failed' }] },
    ]);
    await application.decide('request_changes', 'this is no licence number');
    await application.update(plumber);
    await application.submit();
    await application.until('in_review');
    await application.decide('approve');
    expect(await application.handle.result()).toEqual({ outcome: 'approved' });
  });
});

describe('the vendor of checks', () => {
  it('given an answer that comes by signal, twice, it counts once', async () => {
    const application = await apply();
    vendor = async () => 'pending';
    await application.submit();
    await application.until('checking');
    const answer = { eventId: randomUUID(), kind: 'licence', category: 'plumbing', outcome: 'passed' as const };
    await application.handle.signal(verificationResult, answer);
    await application.handle.signal(verificationResult, answer);
    await application.until('in_review');
    expect((await application.types()).filter((type) => type === 'checked')).toHaveLength(1);
    await application.decide('reject', 'test');
    await application.handle.result();
  });

  it('given nonsense by signal, it is written down as refused and changes nothing', async () => {
    const application = await apply();
    await application.handle.signal(verificationResult, { eventId: 'e-1', kind: 'licence', outcome: 'excellent' as CheckOutcome });
    await eventually(application.types, (types) => types.includes('command.refused'));
    expect(await application.status()).toBe('draft');
    await application.withdraw();
    await application.handle.result();
  });

  it('given it fails twice, it is asked again', async () => {
    const application = await apply();
    let asked = 0;
    vendor = async (claim) => {
      asked += 1;
      if (asked < 3) throw new Error('the vendor is away');
      return offlineVerification().check(claim);
    };
    await application.submit();
    await application.until('in_review');
    expect(asked).toBe(3);
    await application.decide('reject', 'test');
    await application.handle.result();
  });

  it('given it never answers, an operator is asked in time', async () => {
    const application = await apply(plumber, { checkSlaMs: 300 });
    vendor = async () => 'pending';
    await application.submit();
    await application.until('in_review');
    expect(await application.types()).toContain('escalated');
    await application.decide('approve', 'called the register');
    expect(await application.handle.result()).toEqual({ outcome: 'approved' });
  });

  it('given it cannot even be asked, an operator is asked in time', async () => {
    const application = await apply(plumber, { checkSlaMs: 500 });
    vendor = async () => Promise.reject(new Error('away'));
    await application.submit();
    await application.until('in_review');
    await application.decide('reject', 'test');
    await application.handle.result();
  });
});

describe('silence', () => {
  it('is reminded of and ends the draft', async () => {
    const application = await apply(plumber, { draftRemindMs: 1_500, draftExpireMs: 1_600 });
    expect(await application.handle.result()).toEqual({ outcome: 'expired' });
    expect(await application.types()).toEqual(['opened', 'updated', 'reminded', 'expired']);
    expect(await suite.rows('select kind from notification where recipient_id = ? order by created_at', [application.applicant])).toEqual([
      { kind: 'enrollment_idle' },
      { kind: 'enrollment_expired' },
    ]);
  });

  it('given more changes than one run takes, it continues as a new run and loses nothing', async () => {
    const application = await apply(plumber, { maxTurns: 4 });
    for (let n = 1; n <= 6; n += 1) await application.update({ ...plumber, bio: `version ${n}` });
    await application.submit();
    await application.until('in_review');
    expect(await suite.rows(`select details ->> 'bio' as bio from enrollment where id = ?`, [application.enrollmentId])).toEqual([
      { bio: 'version 6' },
    ]);
    const { runId, raw } = await application.handle.describe();
    expect(raw.workflowExecutionInfo?.firstRunId).not.toBe(runId);
    await application.decide('reject', 'test');
    await application.handle.result();
  });

  it('given its run is lost, it starts again from its timeline', async () => {
    const application = await apply();
    await application.submit();
    await application.until('in_review');
    await application.handle.terminate('lost');
    await rebuild(suite, enrollmentWorkflowId(application.enrollmentId));
    await application.decide('approve');
    expect(await suite.temporal.workflow.result(enrollmentWorkflowId(application.enrollmentId))).toEqual({ outcome: 'approved' });
  });
});
