import type { TypedSearchAttributes } from '@temporalio/common';
import type { RequestInput } from '../../contracts/request.messages.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import { latestCatalogueVersion } from '../../db/queries/catalogue.ts';
import type { StartRun } from '../http/command.ts';
import type { Api } from '../http/deps.ts';
import type { RequestMode } from '../../domain/request/draft.ts';

/** Arguments that start a request's run together with its first command, in one call to Temporal. */
export async function startRequest(
  api: Api,
  { requestId, consumerId, mode }: { requestId: string; consumerId: string; mode: RequestMode },
): Promise<StartRun> {
  const catalogueVersion = await latestCatalogueVersion(api.orm.em.fork());
  const input: RequestInput = { requestId, consumerId, mode, catalogueVersion, policy: api.config.policy };
  return {
    workflowType: 'requestWorkflow',
    taskQueue: 'proxie',
    args: [input],
    staticSummary: 'A request',
    staticDetails: `Timeline: GET /api/v1/requests/${requestId}/timeline\n\nSearch by ProxieConsumer \`${consumerId}\`.`,
    searchAttributes: [
      { key: searchAttributes.stage, value: 'intake' },
      { key: searchAttributes.consumer, value: consumerId },
    ] satisfies ConstructorParameters<typeof TypedSearchAttributes>[0],
  };
}
