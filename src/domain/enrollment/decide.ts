import { enrollmentMachine } from './machine.ts';
import type { EnrollmentCommand, EnrollmentState, EnrollmentTimelineEvent } from './types.ts';
import { DomainError } from '../errors.ts';
import { iso } from '../time.ts';
import { checksThatAre, isWithApplicant, mergedChecks } from './evolve.ts';
import { summariseApplication } from './application.ts';
import { tell } from '../timeline.ts';
import type { KnownParts } from './application-parts.ts';
import type { EnrollmentNews } from './machine.ts';

type Command<D extends EnrollmentCommand['do']> = Extract<EnrollmentCommand, { do: D }>;

/**
 * The events that a command writes. @param now milliseconds since the epoch
 * @throws DomainError the refusal
 */
export function decideEnrollment(state: EnrollmentState, command: EnrollmentCommand, now: number): EnrollmentTimelineEvent[] {
  const told = { audience: [state.applicantId] };
  const telling = (kind: EnrollmentNews) => ({ ...told, notify: tell(kind, state.applicantId) });
  switch (command.do) {
    case 'open': {
      const { enrollmentId, applicantId, policy } = command;
      return state.opened ? [] : [{ type: 'enrollment.opened', enrollmentId, applicantId, policy, audience: [applicantId] }];
    }
    case 'updateApplication':
      owned(state, command.by.id);
      if (!isWithApplicant(state)) throw notNow(state, 'It is no longer yours to change.');
      return [{ type: 'enrollment.updated', revisionId: command.revisionId, ...written(state, command), ...told }];
    case 'submitApplication':
      owned(state, command.by.id);
      return submit(state, now);
    case 'beginChecks': {
      if (state.status !== 'submitted') return [];
      const checks = state.summary.credentials.map(({ check }) => check);
      const checking: EnrollmentTimelineEvent = {
        type: 'enrollment.checking',
        checks,
        checksBy: iso(now + state.policy!.checkSlaMs),
        ...told,
      };
      return checks.length ? [checking] : [checking, { type: 'enrollment.in_review', ...told }];
    }
    case 'recordChecks':
      return recordChecks(state, command);
    case 'escalate': {
      const waitingFor = checksThatAre(state, 'pending');
      if (state.status !== 'checking') return [];
      return [
        { type: 'enrollment.escalated', waitingFor },
        { type: 'enrollment.in_review', ...told },
      ];
    }
    case 'decideApplication':
      return decideApplication(state, command, now);
    case 'withdrawApplication':
      owned(state, command.by.id);
      enrollmentMachine.next(state.status, 'withdraw');
      return [{ type: 'enrollment.withdrawn', ...told }];
    // The clock's command may come too late. An application that was touched since is neither reminded of nor expired.
    case 'remind':
      return !state.reminded && isIdleFor(state, state.policy!.draftRemindMs, now)
        ? [{ type: 'enrollment.reminded', ...telling('enrollment_idle') }]
        : [];
    case 'expire':
      return isIdleFor(state, state.policy!.draftExpireMs, now) ? [{ type: 'enrollment.expired', ...telling('enrollment_expired') }] : [];
  }
}

/** Merges the parts that a writer changes into the run's application. @throws draft_changed when one of them was written meanwhile */
function written(state: EnrollmentState, { changes: { basedOn, changed, parts } }: Command<'updateApplication'>) {
  const newer = changed.filter((part) => (state.changedAt[part] ?? 0) > basedOn);
  if (newer.length) {
    throw new DomainError('draft_changed', `Changed meanwhile: ${newer.join(', ')}.`, {
      allowed: ['updateApplication', 'submitApplication'],
      fields: newer.map((part) => ({ field: `/${part}`, message: 'was changed meanwhile' })),
    });
  }
  const own = Object.fromEntries(changed.map((part) => [part, parts[part]])) as KnownParts;
  const merged = state.parts ? { ...state.parts, ...own } : parts;
  return { summary: summariseApplication(merged), parts: merged, changed };
}

/** Submits a complete application with enough photos and valid credentials. A refusal names every fault of one kind at once. */
function submit(state: EnrollmentState, now: number): EnrollmentTimelineEvent[] {
  enrollmentMachine.next(state.status, 'submit');
  const { faults, credentials } = state.summary;
  const [first] = state.revisionId ? faults : [{ code: 'draft_incomplete' as const, field: '', message: 'nothing was filled in yet' }];
  if (first) {
    const fields = faults.filter(({ code }) => code === first.code).map(({ field, message }) => ({ field, message }));
    throw new DomainError(first.code, undefined, {
      fields: fields.length ? fields : [first],
      allowed: ['updateApplication', 'withdrawApplication'],
    });
  }
  notLapsed(credentials, now);
  return [{ type: 'enrollment.submitted', revisionId: state.revisionId!, audience: [state.applicantId] }];
}

/** Records outcomes as they come in. The last one opens the review. Outcomes that arrive during the review are recorded as well. */
function recordChecks(state: EnrollmentState, { results }: Command<'recordChecks'>): EnrollmentTimelineEvent[] {
  if (state.status !== 'checking' && state.status !== 'in_review') throw notNow(state, 'Nothing is being checked.');
  const unknown = results.find(({ check }) => !(check in state.checks));
  if (unknown) throw new DomainError('not_found', 'This application has no such check.');
  const news = results.filter(({ check, outcome }) => outcome !== 'pending' && state.checks[check] !== outcome);
  const events: EnrollmentTimelineEvent[] = news.length ? [{ type: 'enrollment.checked', results: news }] : [];
  const waiting = checksThatAre({ checks: mergedChecks(state.checks, news) }, 'pending');
  if (state.status === 'checking' && waiting.length === 0) events.push({ type: 'enrollment.in_review', audience: [state.applicantId] });
  return events;
}

function decideApplication(
  state: EnrollmentState,
  { by, verdict, reason }: Command<'decideApplication'>,
  now: number,
): EnrollmentTimelineEvent[] {
  if (by.role !== 'admin') throw new DomainError('forbidden_role', 'Only an operator decides an application.');
  const { applicantId } = state;
  const telling = (kind: EnrollmentNews) => ({ reason, audience: [applicantId], notify: tell(kind, applicantId) });
  switch (verdict) {
    case 'approve':
      enrollmentMachine.next(state.status, 'approve');
      notLapsed(state.summary.credentials, now);
      if (checksThatAre(state, 'pending', 'failed').length)
        needReason(reason, 'say why it is approved although not every check has passed');
      return [{ type: 'enrollment.approved', revisionId: state.revisionId!, applicantId, ...telling('enrollment_approved') }];
    case 'reject':
      enrollmentMachine.next(state.status, 'reject');
      needReason(reason, 'say why it is rejected');
      return [{ type: 'enrollment.rejected', ...telling('enrollment_rejected') }];
    case 'request_changes':
      enrollmentMachine.next(state.status, 'requestChanges');
      needReason(reason, 'say what has to change');
      return [{ type: 'enrollment.changes_requested', ...telling('enrollment_changes_requested') }];
  }
}

const isIdleFor = (state: EnrollmentState, ms: number, now: number) =>
  isWithApplicant(state) && now >= Date.parse(state.lastActivityAt) + ms;

function owned({ applicantId }: EnrollmentState, actorId: string): void {
  if (actorId !== applicantId) throw new DomainError('not_owner');
}

function notNow({ status }: EnrollmentState, message: string): DomainError {
  return new DomainError('invalid_transition', message, { status, allowed: enrollmentMachine.allowed(status) });
}

function needReason(reason: string | undefined, message: string): void {
  if (!reason?.trim()) throw new DomainError('validation_failed', 'A reason is needed.', { fields: [{ field: '/reason', message }] });
}

/** @param now milliseconds since the epoch @throws credential_lapsed naming every credential that is not valid then */
export function notLapsed(credentials: readonly { check: string; validUntil: string | null }[], now: number): void {
  const lapsed = credentials.filter(({ validUntil }) => validUntil !== null && Date.parse(validUntil) <= now);
  if (lapsed.length === 0) return;
  const fields = lapsed.map(({ check, validUntil }) => ({
    field: `/credentials/${check.replaceAll('/', '~1')}`,
    message: `was valid until ${validUntil}`,
  }));
  throw new DomainError('credential_lapsed', undefined, { fields, allowed: ['updateApplication', 'withdrawApplication'] });
}
