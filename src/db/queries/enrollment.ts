import type { EnrollmentView } from '../../contracts/enrollment.ts';
import type { Actor } from '../../domain/actor.ts';
import type { ApplicationDetails } from '../../domain/enrollment/application.ts';
import type { EnrollmentStatus } from '../../domain/enrollment/machine.ts';
import { sql, type Db } from '../orm.ts';
import { instantText, ownedBy, ownedRow, pageAfter, type PageInput } from './page.ts';

/** Stores a version of an application before its id goes to a run. Storing the same version again changes nothing. */
export async function stageRevision(em: Db, id: string, enrollmentId: string, details: ApplicationDetails): Promise<void> {
  await sql(em, 'insert into enrollment_revision (id, enrollment_id, details) values (?, ?, ?::jsonb) on conflict (id) do nothing', [
    id,
    enrollmentId,
    JSON.stringify(details),
  ]);
}

/** The contents of one version of an application. */
export async function revisionDetails(em: Db, enrollmentId: string, revisionId: string): Promise<ApplicationDetails | undefined> {
  const [row] = await sql<{ details: ApplicationDetails }>(
    em,
    'select details from enrollment_revision where id = ? and enrollment_id = ?',
    [revisionId, enrollmentId],
  );
  return row?.details;
}

type EnrollmentRow = Omit<EnrollmentView, 'links'>;

const selectEnrollments = `
  select e.id, e.applicant_id as "applicantId", e.status, e.status_reason as "statusReason", e.details as application, e.checks,
    ${instantText('e.created_at')} as "createdAt", ${instantText('e.decided_at')} as "decidedAt",
    (select max(seq) from event v where v.stream = 'enrollment/' || e.id) as seq
  from enrollment e`;

/** An application for its applicant or an operator. @throws not_found, not_owner */
export async function enrollmentFor(em: Db, actor: Actor, id: string): Promise<EnrollmentView> {
  const [row] = await sql<EnrollmentRow>(em, `${selectEnrollments} where e.id = ?`, [id]);
  return toEnrollmentView(ownedRow(row, actor, ({ applicantId }) => [applicantId]));
}

/** The actor's own applications, or everybody's for operators; newest first. */
export async function listEnrollments(
  em: Db,
  actor: Actor,
  page: PageInput & { status?: EnrollmentStatus | undefined },
): Promise<EnrollmentView[]> {
  const owner = ownedBy(actor, 'e.applicant_id = ?');
  const after = pageAfter(page, 'e');
  const rows = await sql<EnrollmentRow>(
    em,
    `${selectEnrollments} where (?::text is null or e.status = ?) ${owner.where} ${after.where} order by e.created_at desc, e.id desc limit ?`,
    [page.status ?? null, page.status ?? null, ...owner.params, ...after.params, page.limit + 1],
  );
  return rows.map(toEnrollmentView);
}

/** The open application of a user. */
export async function openEnrollmentOf(em: Db, applicantId: string): Promise<{ id: string; status: EnrollmentStatus } | undefined> {
  const [row] = await sql<{ id: string; status: EnrollmentStatus }>(
    em,
    `select id, status from enrollment where applicant_id = ? and status not in ('approved', 'rejected', 'withdrawn', 'expired') limit 1`,
    [applicantId],
  );
  return row;
}

export function toEnrollmentView(row: EnrollmentRow): EnrollmentView {
  return { ...row, links: { self: `/api/v1/enrollments/${row.id}` } };
}
