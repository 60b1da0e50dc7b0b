import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, WorkflowIdReusePolicy, type ChildWorkflowHandle, type Workflow } from '@temporalio/workflow';
import { searchAttributes } from '../contracts/search-attributes.ts';

interface Child {
  workflowId: string;
  /** The booking to which the child belongs: the child is its run, or the run of its reviews. */
  bookingId: string;
  staticSummary: string;
  stage: string;
  consumerId: string;
  providerId: string;
  service: string;
}

/**
 * Starts a child that goes on when its parent ends. Operators find the child by its sides and its service.
 * @returns undefined when the child runs already: the reconciler was faster, or the parent was rebuilt beside it
 */
export async function startOnce<W extends Workflow>(
  workflow: W,
  { workflowId, bookingId, staticSummary, stage, consumerId, providerId, service }: Child,
): Promise<ChildWorkflowHandle<W> | undefined> {
  try {
    const started = await startChild(workflow as Workflow, {
      workflowId,
      args: [{ bookingId }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary,
      typedSearchAttributes: [
        { key: searchAttributes.consumer, value: consumerId },
        { key: searchAttributes.provider, value: providerId },
        { key: searchAttributes.service, value: service },
        { key: searchAttributes.stage, value: stage },
      ],
    });
    return started as ChildWorkflowHandle<W>;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}
