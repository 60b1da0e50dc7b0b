import { z } from 'zod';
import { Application, DecideApplication, EnrollmentView } from '../../contracts/enrollment.ts';
import { type EnrollmentInput, enrollmentUpdates, enrollmentWorkflowId } from '../../contracts/enrollment.messages.ts';
import { idFrom } from '../../contracts/ids.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import { loadCatalogue } from '../../db/queries/catalogue.ts';
import { enrollmentFor, listEnrollments, openEnrollmentOf, stageRevision } from '../../db/queries/enrollment.ts';
import { checkApplication, knownParts, type ApplicationDetails } from '../../domain/enrollment/application.ts';
import { enrollmentMachine, enrollmentVerbs } from '../../domain/enrollment/machine.ts';
import { DomainError, type ErrorCode } from '../../domain/errors.ts';
import type { ApiActor } from '../http/auth.ts';
import type { StartRun } from '../http/command.ts';
import { pageOf, PageQuery } from '../http/cursor.ts';
import type { Api } from '../http/deps.ts';
import { positionsIn } from '../http/etag.ts';
import { listPage } from '../http/listing.ts';
import { reply, route } from '../http/route.ts';
import { actorOf } from '../../domain/actor.ts';
import { withFreshDraft } from '../http/fresh-draft.ts';
import { applicationParts } from '../../domain/enrollment/application-parts.ts';
import { verbRoute, verbRoutes } from '../http/verb-route.ts';

const enrollmentId = z.strictObject({ enrollmentId: z.uuid() });
const applicants = ['consumer', 'provider'] as const;
// A user who is also an operator reads as an operator.
const readers = ['admin', 'consumer', 'provider'] as const;
const etag = ({ seq }: EnrollmentView) => seq;
const errors = ['not_found', 'not_owner', 'invalid_transition', 'temporarily_unavailable'] as const satisfies ErrorCode[];
const values = ['validation_failed', 'price_out_of_bounds'] as const satisfies ErrorCode[];

export function enrollmentRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      method: 'post',
      path: '/enrollments',
      summary: 'Apply to become a provider',
      description: 'A draft may lack any field; the given fields have to fit the catalogue. One application at a time.',
      auth: applicants,
      body: Application,
      response: EnrollmentView,
      status: 201,
      etag,
      errors: [...errors, ...values],
    },
    async ({ body, actor, commandId, signal }) => {
      const id = idFrom(commandId, 'enrollment');
      const open = await openEnrollmentOf(db(), actor.id);
      if (open && open.id !== id) {
        throw new DomainError('invalid_transition', `You have an application already: ${open.id}.`, {
          status: open.status,
          allowed: ['updateApplication'],
        });
      }
      const command = await staged(actor, commandId, { id, seq: 0, application: {} }, body);
      await api.commands.send({
        workflowId: enrollmentWorkflowId(id),
        update: enrollmentUpdates.updateApplication,
        command,
        start: startEnrollment(id, actor.id),
        signal,
      });
      return reply(201, await enrollmentFor(db(), actor, id), { location: `/api/v1/enrollments/${id}` });
    },
  );

  route(
    api,
    {
      method: 'get',
      path: '/enrollments',
      summary: 'Your applications, newest first; operators see all',
      auth: readers,
      query: z.strictObject({ ...PageQuery.shape, status: z.enum(enrollmentMachine.statuses).optional() }),
      response: pageOf(EnrollmentView),
      errors: [],
    },
    ({ query, actor }) => listPage(api, { name: 'enrollments', actor, query }, (page) => listEnrollments(db(), actor, page)),
  );

  route(
    api,
    {
      method: 'get',
      path: '/enrollments/:enrollmentId',
      summary: 'One application',
      auth: readers,
      params: enrollmentId,
      response: EnrollmentView,
      etag,
      errors: ['not_found', 'not_owner'],
    },
    ({ params, actor }) => enrollmentFor(db(), actor, params.enrollmentId),
  );

  route(
    api,
    {
      method: 'patch',
      path: '/enrollments/:enrollmentId',
      summary: 'Change parts of an application while it is yours',
      auth: applicants,
      params: enrollmentId,
      body: Application,
      response: EnrollmentView,
      etag,
      ifMatch: 'optional',
      errors: [...errors, ...values, 'draft_changed'],
    },
    async ({ params, body, actor, commandId, ifMatch, signal }) => {
      const before = await enrollmentFor(db(), actor, params.enrollmentId);
      const command = { ...(await staged(actor, commandId, before, body)), expects: positionsIn(ifMatch) };
      const workflowId = enrollmentWorkflowId(before.id);
      return withFreshDraft(
        () => api.commands.send({ workflowId, update: enrollmentUpdates.updateApplication, command, signal }),
        () => enrollmentFor(db(), actor, before.id),
      );
    },
  );

  const enrollments = {
    params: enrollmentId,
    response: EnrollmentView,
    etag,
    errors,
    load: (actor: ApiActor, params: { enrollmentId: string }) => enrollmentFor(db(), actor, params.enrollmentId),
    by: actorOf,
    workflowId: ({ id }: EnrollmentView) => enrollmentWorkflowId(id),
    fields: () => ({}),
    read: (actor: ApiActor, params: { enrollmentId: string }) => enrollmentFor(db(), actor, params.enrollmentId),
  };
  verbRoutes(api, enrollments, enrollmentVerbs, enrollmentUpdates, {
    decideApplication: (verb) =>
      verbRoute(api, enrollments, verb, { body: DecideApplication, fields: ({ body: { verdict } }) => ({ verdict }) }),
  });

  /** Stores the written parts under the command's own id: a retry stages the same version. */
  async function staged(
    actor: ApiActor,
    commandId: string,
    { id, seq, application }: Pick<EnrollmentView, 'id' | 'seq' | 'application'>,
    written: ApplicationDetails,
  ) {
    const em = db();
    const catalogue = await loadCatalogue(em);
    const details = checkApplication(catalogue, { ...application, ...written });
    const revisionId = idFrom(commandId, 'revision');
    await stageRevision(em, revisionId, id, written);
    const changed = applicationParts.filter((part) => written[part] !== undefined);
    return { id: commandId, by: actorOf(actor), revisionId, changes: { basedOn: seq, changed, parts: knownParts(catalogue, details) } };
  }

  function startEnrollment(id: string, applicantId: string): StartRun {
    const input: EnrollmentInput = { enrollmentId: id, applicantId, policy: api.config.policy };
    return {
      workflowType: 'enrollmentWorkflow',
      taskQueue: 'proxie',
      args: [input],
      staticSummary: 'An application',
      staticDetails: `GET /api/v1/enrollments/${id}\n\nSearch by ProxieProvider \`${applicantId}\`.`,
      searchAttributes: [
        { key: searchAttributes.stage, value: enrollmentMachine.initial },
        { key: searchAttributes.provider, value: applicantId },
      ],
    };
  }
}
