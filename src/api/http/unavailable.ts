// Tells an unavailable dependency (503, try again) from a bug (500).
import {
  NamespaceNotFoundError,
  ServiceError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  isGrpcServiceError,
} from '@temporalio/client';
import { causesOf, sqlStateOf } from '../../db/transaction.ts';

/** gRPC codes that say that our request was wrong: INVALID_ARGUMENT, OUT_OF_RANGE, UNIMPLEMENTED. */
const ourFault = new Set([3, 11, 12]);

/** Whether Temporal could not be reached or did not answer in time. */
export function isTemporalAway(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || error instanceof NamespaceNotFoundError) return true;
  if (wasOverlooked(error)) return true;
  const grpc = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(grpc)) return !ourFault.has(grpc.code);
  return error instanceof ServiceError;
}

/**
 * Whether the server refused an Update because the worker completed a workflow task without looking at it. This happens when
 * the task is lost between server and worker and handed out again. The run has not seen the Update, so the command can be sent
 * again.
 */
export const wasOverlooked = (error: unknown): boolean =>
  error instanceof WorkflowUpdateFailedError && (error.cause as { type?: unknown } | undefined)?.type === 'UnprocessedUpdate';

const socketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
]);
/**
 * Connection exceptions (08), out of resources (53), operator intervention including statement timeouts (57), system
 * errors such as disk full (58), contention that outlived its retries (40, 55P03), and a server that only reads (25006).
 */
const passingStates = /^(?:08|53|57|58|40|55P03|25006)/;
/** pg and its pool raise these errors without a code. */
const lostConnection =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout)/;

/** Whether Postgres could not be reached or could not serve now. */
export function isDatabaseAway(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state && (socketCodes.has(state) || (/^[0-9A-Z]{5}$/.test(state) && passingStates.test(state)))) return true;
  for (const { message, errors } of causesOf(error)) {
    if (lostConnection.test(String(message)) || errors?.some(isDatabaseAway)) return true;
  }
  return false;
}
