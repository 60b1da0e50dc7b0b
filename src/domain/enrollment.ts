import { enrollmentMachine } from './enrollment.machine.ts';
import type { CheckOutcome, CheckResult, EnrollmentCommand, EnrollmentState, EnrollmentTimelineEvent } from './enrollment.types.ts';
import { DomainError } from './errors.ts';
import { remember, type Recorded } from './timeline.ts';

type Command<D extends EnrollmentCommand['do']> = Extract<EnrollmentCommand, { do: D }>;

export const emptyEnrollment: EnrollmentState = {
  status: 'draft',
  opened: false,
  applied: [],
  enrollmentId: '',
  applicantId: '',
  policy: null,
  revisionId: null,
  summary: { services: [], faults: [], credentials: [] },
  checks: {},
  checksBy: null,
  escalated: false,
  reminded: false,
  lastActivityAt: '',
};

export const enrollmentIsOver = ({ status }: EnrollmentState): boolean => enrollmentMachine.terminal.includes(status);
/** The applicant has to do something: until then nothing is checked. */
export const isWithApplicant = ({ status }: EnrollmentState): boolean => status === 'draft' || status === 'changes_requested';
export const checksThatAre = ({ checks }: Pick<EnrollmentState, 'checks'>, ...outcomes: CheckOutcome[]): string[] =>
  Object.keys(checks).filter((check) => outcomes.includes(checks[check]!));

/**
 * What a command writes, or why it is refused. `now` is milliseconds since the epoch.
 * @throws DomainError the refusal
 */
export function decideEnrollment(state: EnrollmentState, command: EnrollmentCommand, now: number): EnrollmentTimelineEvent[] {
  const told = { audience: [state.applicantId] };
  const telling = (kind: string) => ({ ...told, notify: [{ to: state.applicantId, kind }] });
  switch (command.do) {
    case 'open': {
      const { enrollmentId, applicantId, policy } = command;
      return state.opened ? [] : [{ type: 'enrollment.opened', enrollmentId, applicantId, policy, audience: [applicantId] }];
    }
    case 'updateApplication': {
      owned(state, command.by.id);
      if (!isWithApplicant(state)) throw notNow(state, 'It is no longer yours to change.');
      return [{ type: 'enrollment.updated', revisionId: command.revisionId, summary: command.summary, ...told }];
    }
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
    // The clock may come too late: what has been touched since is neither reminded of nor given up.
    case 'remind':
      return !state.reminded && isIdleFor(state, state.policy!.draftRemindMs, now)
        ? [{ type: 'enrollment.reminded', ...telling('enrollment_idle') }]
        : [];
    case 'expire':
      return isIdleFor(state, state.policy!.draftExpireMs, now) ? [{ type: 'enrollment.expired', ...telling('enrollment_expired') }] : [];
  }
}

/** Complete, with photos and valid credentials; every fault of one kind is named at once. */
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

/** Outcomes as they come in; the last one opens the review. What a vendor says later is still worth writing down. */
function recordChecks(state: EnrollmentState, { results }: Command<'recordChecks'>): EnrollmentTimelineEvent[] {
  if (state.status !== 'checking' && state.status !== 'in_review') throw notNow(state, 'Nothing is being checked.');
  const unknown = results.find(({ check }) => !(check in state.checks));
  if (unknown) throw new DomainError('not_found', 'This application has no such check.');
  const news = results.filter(({ check, outcome }) => outcome !== 'pending' && state.checks[check] !== outcome);
  const events: EnrollmentTimelineEvent[] = news.length ? [{ type: 'enrollment.checked', results: news }] : [];
  const waiting = checksThatAre({ checks: merged(state.checks, news) }, 'pending');
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
  const telling = (kind: string) => ({ reason, audience: [applicantId], notify: [{ to: applicantId, kind }] });
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

/** What a written event means. */
export function evolveEnrollment(before: EnrollmentState, event: Recorded<EnrollmentTimelineEvent>): EnrollmentState {
  const state = { ...before, applied: remember(before.applied, event.commandId) };
  switch (event.type) {
    case 'enrollment.opened': {
      const { enrollmentId, applicantId, policy, at } = event;
      return { ...state, opened: true, enrollmentId, applicantId, policy, lastActivityAt: at };
    }
    case 'enrollment.updated':
      return { ...state, revisionId: event.revisionId, summary: event.summary, reminded: false, lastActivityAt: event.at };
    case 'enrollment.submitted':
      return { ...state, status: enrollmentMachine.next(state.status, 'submit') };
    case 'enrollment.checking': {
      const checks = Object.fromEntries(event.checks.map((check) => [check, 'pending' as const]));
      return { ...state, status: enrollmentMachine.next(state.status, 'check'), checks, checksBy: event.checksBy, escalated: false };
    }
    case 'enrollment.checked':
      return { ...state, checks: merged(state.checks, event.results) };
    case 'enrollment.escalated':
      return { ...state, escalated: true };
    case 'enrollment.in_review':
      return { ...state, status: enrollmentMachine.next(state.status, 'review'), checksBy: null };
    case 'enrollment.changes_requested':
      return {
        ...state,
        status: enrollmentMachine.next(state.status, 'requestChanges'),
        checksBy: null,
        reminded: false,
        lastActivityAt: event.at,
      };
    case 'enrollment.approved':
      return { ...state, status: enrollmentMachine.next(state.status, 'approve') };
    case 'enrollment.rejected':
      return { ...state, status: enrollmentMachine.next(state.status, 'reject') };
    case 'enrollment.withdrawn':
      return { ...state, status: enrollmentMachine.next(state.status, 'withdraw') };
    case 'enrollment.expired':
      return { ...state, status: enrollmentMachine.next(state.status, 'expire') };
    case 'enrollment.reminded':
      return { ...state, reminded: true };
    case 'command.refused':
      return state;
  }
}

const isIdleFor = (state: EnrollmentState, ms: number, now: number) =>
  isWithApplicant(state) && now >= Date.parse(state.lastActivityAt) + ms;

const iso = (ms: number) => new Date(ms).toISOString();

const merged = (checks: EnrollmentState['checks'], results: CheckResult[]): EnrollmentState['checks'] => ({
  ...checks,
  ...Object.fromEntries(results.map(({ check, outcome }) => [check, outcome])),
});

function owned({ applicantId }: EnrollmentState, actorId: string): void {
  if (actorId !== applicantId) throw new DomainError('not_owner');
}

function notNow({ status }: EnrollmentState, message: string): DomainError {
  return new DomainError('invalid_transition', message, { status, allowed: enrollmentMachine.allowed(status) });
}

function needReason(reason: string | undefined, message: string): void {
  if (!reason?.trim()) throw new DomainError('validation_failed', 'A reason is needed.', { fields: [{ field: '/reason', message }] });
}

/** @throws credential_lapsed naming every credential that is not valid at `now` */
export function notLapsed(credentials: readonly { check: string; validUntil: string | null }[], now: number): void {
  const lapsed = credentials.filter(({ validUntil }) => validUntil !== null && Date.parse(validUntil) <= now);
  if (lapsed.length === 0) return;
  const fields = lapsed.map(({ check, validUntil }) => ({
    field: `/credentials/${check.replaceAll('/', '~1')}`,
    message: `was valid until ${validUntil}`,
  }));
  throw new DomainError('credential_lapsed', undefined, { fields, allowed: ['updateApplication', 'withdrawApplication'] });
}
