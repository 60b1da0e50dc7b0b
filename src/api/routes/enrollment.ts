import type { UpdateDefinition } from '@temporalio/common';
import { z } from 'zod';
import { Reason } from '../../contracts/common.ts';
import { Application, DecideApplication, EnrollmentView } from '../../contracts/enrollment.ts';
import {
  decideApplication,
  enrollmentWorkflowId,
  submitApplication,
  updateApplication,
  withdrawApplication,
  type EnrollmentInput,
} from '../../contracts/enrollment.messages.ts';
import { idFrom } from '../../contracts/ids.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import { loadCatalogue } from '../../db/queries/catalogue.ts';
import { enrollmentFor, listEnrollments, openEnrollmentOf, stageRevision } from '../../db/queries/enrollment.ts';
import { checkApplication, knownParts, type ApplicationDetails } from '../../domain/enrollment/application.ts';
import { enrollmentMachine } from '../../domain/enrollment/machine.ts';
import { DomainError, type ErrorCode } from '../../domain/errors.ts';
import type { ApiActor } from '../http/auth.ts';
import type { StartRun } from '../http/command.ts';
import { pageOf, PageQuery } from '../http/cursor.ts';
import type { Api } from '../http/deps.ts';
import { positionsIn } from '../http/etag.ts';
import { listPage } from '../http/listing.ts';
import { reply, route } from '../http/route.ts';
import type { CommandAnswer, CommandMeta } from '../../domain/command.ts';
import { actorOf } from '../../domain/actor.ts';
import { withFreshDraft } from '../http/fresh-draft.ts';
import { applicationParts } from '../../domain/enrollment/types.ts';

const enrollmentId = z.strictObject({ enrollmentId: z.uuid() });
const applicants = ['consumer', 'provider'] as const;
// Somebody who is an operator too reads as one.
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
      description: 'A draft may lack anything; what is there has to fit the catalogue. One application at a time.',
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
        update: updateApplication,
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
      return send(actor, before.id, { update: updateApplication, command, signal });
    },
  );

  for (const { verb, update, summary, more } of [
    {
      verb: 'submit',
      update: submitApplication,
      summary: 'Hand it in: it is checked, then an operator decides',
      more: ['draft_incomplete', 'portfolio_too_small', 'credential_lapsed'],
    },
    { verb: 'withdraw', update: withdrawApplication, summary: 'Take it back', more: [] },
  ] as const) {
    route(
      api,
      {
        method: 'post',
        path: `/enrollments/:enrollmentId/${verb}`,
        summary,
        auth: applicants,
        params: enrollmentId,
        body: Reason,
        response: EnrollmentView,
        etag,
        errors: [...errors, ...more],
      },
      async ({ params, body, actor, commandId, signal }) => {
        await enrollmentFor(db(), actor, params.enrollmentId);
        return send(actor, params.enrollmentId, { update, command: { id: commandId, by: actorOf(actor), ...body }, signal });
      },
    );
  }

  route(
    api,
    {
      method: 'post',
      path: '/enrollments/:enrollmentId/decide',
      summary: 'Operator: approve, reject, or ask for changes',
      description: 'Everything but the approval of an application whose checks have all passed needs a reason, which the applicant reads.',
      auth: ['admin'],
      params: enrollmentId,
      body: DecideApplication,
      response: EnrollmentView,
      etag,
      errors: [...errors, 'credential_lapsed'],
    },
    async ({ params, body, actor, commandId, signal }) => {
      await enrollmentFor(db(), actor, params.enrollmentId);
      return send(actor, params.enrollmentId, {
        update: decideApplication,
        command: { id: commandId, by: actorOf(actor), ...body },
        signal,
      });
    },
  );

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

  async function send<C extends CommandMeta>(
    actor: ApiActor,
    id: string,
    command: { update: UpdateDefinition<CommandAnswer, [C], string>; command: C; signal: AbortSignal },
  ): Promise<EnrollmentView> {
    return withFreshDraft(
      () => api.commands.send({ workflowId: enrollmentWorkflowId(id), ...command }),
      () => enrollmentFor(db(), actor, id),
    );
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
