import { describe, expect, it } from '@jest/globals';
import { SYSTEM, type Actor } from '../../src/domain/actor.ts';
import { decideEnrollment } from '../../src/domain/enrollment/decide.ts';
import { defaultPolicy } from '../../src/domain/policy.ts';
import { fold } from '../support/fold.ts';
import { emptyEnrollment, evolveEnrollment } from '../../src/domain/enrollment/evolve.ts';
import { applicationParts, type ApplicationPart, type KnownParts } from '../../src/domain/enrollment/application-parts.ts';
import { knownParts } from '../../src/domain/enrollment/application.ts';
import { seedCatalogue } from '../../src/domain/intake/catalogue-seed.ts';

const applicant: Actor = { id: '00000000-0000-4000-8000-00000000000c', role: 'consumer' };
const stranger: Actor = { id: '00000000-0000-4000-8000-00000000000d', role: 'consumer' };
const operator: Actor = { id: '00000000-0000-4000-8000-00000000000e', role: 'admin' };
const noon = Date.parse('2026-06-01T12:00:00.000Z');
const licence = { check: 'licence/plumbing', validUntil: '2027-01-01T00:00:00.000Z' };
const plumbing = { codes: ['plumbing.leak'], licences: [{ category: 'plumbing', name: 'Plumbing' }], minPhotos: 0 };
const complete: KnownParts = {
  displayName: true,
  zone: true,
  location: true,
  radiusKm: true,
  services: plumbing,
  availability: { openings: 1 },
  credentials: [licence],
};
/** A writer who has read everything and writes every part. */
const all = (parts: KnownParts) => ({ basedOn: 1_000, changed: [...applicationParts], parts });

const refused = (code: string, detail: object = {}) => expect.objectContaining({ code, detail: expect.objectContaining(detail) });
const typesOf = (events: { type: string }[]) => events.map(({ type }) => type.replace('enrollment.', ''));

function application(parts: KnownParts | null = complete) {
  const run = fold({ initial: emptyEnrollment, decide: decideEnrollment, evolve: evolveEnrollment });
  run.send({ do: 'open', by: applicant, enrollmentId: 'e1', applicantId: applicant.id, policy: defaultPolicy }, noon);
  if (parts) run.send({ do: 'updateApplication', by: applicant, revisionId: 'r1', changes: all(parts) }, noon);
  return run;
}

function inChecks(parts = complete) {
  const run = application(parts);
  run.send({ do: 'submitApplication', by: applicant }, noon);
  run.send({ do: 'beginChecks', by: SYSTEM }, noon);
  return run;
}

function inReview(outcome: 'passed' | 'failed' = 'passed') {
  const run = inChecks();
  run.send({ do: 'recordChecks', by: SYSTEM, results: [{ check: licence.check, outcome }] }, noon);
  return run;
}

describe('writing an application', () => {
  it('opening twice writes once', () => {
    expect(
      application().send({ do: 'open', by: applicant, enrollmentId: 'e1', applicantId: applicant.id, policy: defaultPolicy }, noon),
    ).toEqual([]);
  });

  it.each(['updateApplication', 'submitApplication', 'withdrawApplication'] as const)('%s by somebody else is refused', (command) => {
    expect(() => application().send({ do: command, by: stranger, revisionId: 'r2', changes: all(complete) } as never, noon)).toThrow(
      refused('not_owner'),
    );
  });

  it('the newest version counts, and its contents stay out of the event', () => {
    const run = application();
    const [event] = run.send({ do: 'updateApplication', by: applicant, revisionId: 'r2', changes: all(complete) }, noon);
    expect(run.state.revisionId).toBe('r2');
    expect(Object.keys(event!).sort()).toEqual(['audience', 'changed', 'parts', 'revisionId', 'summary', 'type']);
  });

  it('once handed in it can neither be changed nor withdrawn', () => {
    const run = inChecks();
    expect(() => run.send({ do: 'updateApplication', by: applicant, revisionId: 'r2', changes: all(complete) }, noon)).toThrow(
      refused('invalid_transition', { status: 'checking' }),
    );
    expect(() => run.send({ do: 'withdrawApplication', by: applicant }, noon)).toThrow(refused('invalid_transition'));
  });
});

describe('handing it in', () => {
  it('given nothing was written, it is refused', () => {
    expect(() => application(null).send({ do: 'submitApplication', by: applicant }, noon)).toThrow(refused('draft_incomplete'));
  });

  it('given missing parts, they are all named', () => {
    const { zone: _zone, ...others } = complete;
    const run = application({ ...others, services: { ...plumbing, codes: [] } });
    expect(() => run.send({ do: 'submitApplication', by: applicant }, noon)).toThrow(
      refused('draft_incomplete', {
        fields: [
          { field: '/zone', message: 'required' },
          { field: '/services', message: 'at least one' },
        ],
      }),
    );
    expect(run.state.status).toBe('draft');
  });

  it('given too few photos, it is refused as such', () => {
    const run = application({ ...complete, services: { ...plumbing, minPhotos: 3 }, portfolio: { photos: 2 } });
    expect(() => run.send({ do: 'submitApplication', by: applicant }, noon)).toThrow(refused('portfolio_too_small'));
  });

  it('given a licence that has run out, it is refused and named', () => {
    const run = application({ ...complete, credentials: [{ ...licence, validUntil: '2026-06-01T12:00:00.000Z' }] });
    expect(() => run.send({ do: 'submitApplication', by: applicant }, noon)).toThrow(
      refused('credential_lapsed', { fields: [expect.objectContaining({ field: '/credentials/licence~1plumbing' })] }),
    );
  });

  it('given nothing to check, it goes straight to an operator', () => {
    const run = application({ ...complete, services: { ...plumbing, licences: [] }, credentials: [] });
    run.send({ do: 'submitApplication', by: applicant }, noon);
    expect(typesOf(run.send({ do: 'beginChecks', by: SYSTEM }, noon))).toEqual(['checking', 'in_review']);
  });
});

describe('checks', () => {
  it('the last outcome opens the review', () => {
    const run = inChecks({ ...complete, credentials: [licence, { check: 'insurance', validUntil: null }] });
    expect(
      typesOf(
        run.send(
          {
            do: 'recordChecks',
            by: SYSTEM,
            results: [
              { check: 'insurance', outcome: 'passed' },
              { check: licence.check, outcome: 'pending' },
            ],
          },
          noon,
        ),
      ),
    ).toEqual(['checked']);
    expect(run.state.status).toBe('checking');
    expect(typesOf(run.send({ do: 'recordChecks', by: SYSTEM, results: [{ check: licence.check, outcome: 'failed' }] }, noon))).toEqual([
      'checked',
      'in_review',
    ]);
    expect(run.state.checks).toEqual({ insurance: 'passed', [licence.check]: 'failed' });
  });

  it('"pending" never takes an outcome back', () => {
    const run = inReview();
    expect(run.send({ do: 'recordChecks', by: SYSTEM, results: [{ check: licence.check, outcome: 'pending' }] }, noon)).toEqual([]);
    expect(run.state.checks[licence.check]).toBe('passed');
  });

  it('a check nobody asked for is refused', () => {
    expect(() => inChecks().send({ do: 'recordChecks', by: SYSTEM, results: [{ check: 'identity', outcome: 'passed' }] }, noon)).toThrow(
      refused('not_found'),
    );
  });

  it('given checks that are overdue, an operator gets it and a late outcome is still written down', () => {
    const run = inChecks();
    expect(typesOf(run.send({ do: 'escalate', by: SYSTEM }, noon))).toEqual(['escalated', 'in_review']);
    expect(run.send({ do: 'escalate', by: SYSTEM }, noon)).toEqual([]);
    expect(typesOf(run.send({ do: 'recordChecks', by: SYSTEM, results: [{ check: licence.check, outcome: 'passed' }] }, noon))).toEqual([
      'checked',
    ]);
  });
});

describe('the decision', () => {
  it('is an operator’s', () => {
    expect(() => inReview().send({ do: 'decideApplication', by: applicant, verdict: 'approve' }, noon)).toThrow(refused('forbidden_role'));
  });

  it('approves the version that was checked', () => {
    const run = inReview();
    expect(run.send({ do: 'decideApplication', by: operator, verdict: 'approve' }, noon)).toEqual([
      expect.objectContaining({
        type: 'enrollment.approved',
        revisionId: 'r1',
        applicantId: applicant.id,
        notify: [{ to: applicant.id, kind: 'enrollment_approved' }],
      }),
    ]);
    expect(run.state.status).toBe('approved');
  });

  it('given a failed check, approving needs a reason', () => {
    const run = inReview('failed');
    expect(() => run.send({ do: 'decideApplication', by: operator, verdict: 'approve' }, noon)).toThrow(refused('validation_failed'));
    run.send({ do: 'decideApplication', by: operator, verdict: 'approve', reason: 'seen the original' }, noon);
    expect(run.state.status).toBe('approved');
  });

  it('given a licence that ran out meanwhile, approving is refused', () => {
    const later = Date.parse(licence.validUntil) + 1;
    expect(() => inReview().send({ do: 'decideApplication', by: operator, verdict: 'approve' }, later)).toThrow(
      refused('credential_lapsed'),
    );
  });

  it.each(['reject', 'request_changes'] as const)('%s needs a reason', (verdict) => {
    expect(() => inReview().send({ do: 'decideApplication', by: operator, verdict, reason: ' ' }, noon)).toThrow(
      refused('validation_failed'),
    );
  });

  it('given changes are requested, it is the applicant’s again and can be handed in anew', () => {
    const run = inReview('failed');
    run.send({ do: 'decideApplication', by: operator, verdict: 'request_changes', reason: 'wrong number' }, noon);
    run.send({ do: 'updateApplication', by: applicant, revisionId: 'r2', changes: all(complete) }, noon);
    run.send({ do: 'submitApplication', by: applicant }, noon);
    run.send({ do: 'beginChecks', by: SYSTEM }, noon);
    expect(run.state).toMatchObject({ status: 'checking', revisionId: 'r2', checks: { [licence.check]: 'pending' } });
  });

  it.each(['draft', 'checking'] as const)('given it is still %s, approving is refused', (status) => {
    const run = status === 'draft' ? application() : inChecks();
    expect(() => run.send({ do: 'decideApplication', by: operator, verdict: 'approve' }, noon)).toThrow(
      refused('invalid_transition', { status }),
    );
  });
});

describe('silence', () => {
  const remindAt = noon + defaultPolicy.draftRemindMs;
  const expireAt = noon + defaultPolicy.draftExpireMs;

  it('is reminded of once, and ends the draft', () => {
    const run = application();
    expect(typesOf(run.send({ do: 'remind', by: SYSTEM }, remindAt))).toEqual(['reminded']);
    expect(run.send({ do: 'remind', by: SYSTEM }, remindAt)).toEqual([]);
    expect(typesOf(run.send({ do: 'expire', by: SYSTEM }, expireAt))).toEqual(['expired']);
  });

  it('given a change just before the clock, nothing is given up', () => {
    const run = application();
    run.send({ do: 'updateApplication', by: applicant, revisionId: 'r2', changes: all(complete) }, expireAt - 1);
    expect(run.send({ do: 'expire', by: SYSTEM }, expireAt)).toEqual([]);
    expect(run.send({ do: 'remind', by: SYSTEM }, expireAt)).toEqual([]);
  });

  it('given it was handed in meanwhile, the clock changes nothing', () => {
    expect(inChecks().send({ do: 'expire', by: SYSTEM }, expireAt)).toEqual([]);
  });
});

describe('two writers of one application', () => {
  const parts = knownParts(seedCatalogue, { displayName: 'Ana', zone: 'UTC', radiusKm: 20, location: { lat: 0, lon: 0 } });
  const writing = (run: ReturnType<typeof application>, changed: ApplicationPart[], basedOn: number) =>
    run.send(
      { do: 'updateApplication', by: applicant, revisionId: `r-${changed.join()}-${basedOn}`, changes: { basedOn, changed, parts } },
      noon,
    );

  it('who changes different parts both count, whatever the other had read', () => {
    const run = application(null);
    writing(run, ['displayName', 'zone'], 1);
    writing(run, ['radiusKm'], 1);
    writing(run, ['location'], 1);
    expect(run.state.parts).toEqual(parts);
    expect(run.state.summary.faults.map(({ field }) => field)).toEqual(['/services', '/availability']);
  });

  it('who changes a part that somebody has changed since is refused, and reads it again', () => {
    const run = application(null);
    writing(run, ['radiusKm'], 1);
    expect(() => writing(run, ['radiusKm', 'zone'], 1)).toThrow(
      refused('draft_changed', { fields: [{ field: '/radiusKm', message: 'was changed meanwhile' }] }),
    );
    expect(run.state.parts).toEqual({ radiusKm: true });
    writing(run, ['radiusKm', 'zone'], 2);
    expect(run.state.parts).toEqual({ radiusKm: true, zone: true });
  });

  it('on an application of the second release, of which only a summary is known, the writer says all parts', () => {
    const run = application(null);
    const summary = { services: ['plumbing.leak'], faults: [], credentials: [licence] };
    run.record({ type: 'enrollment.updated', revisionId: 'r1', summary }, 'of-the-second-release', applicant, noon);
    expect(run.state).toMatchObject({ summary, parts: null });
    writing(run, ['zone'], 2);
    expect(run.state.parts).toEqual(parts);
  });
});
