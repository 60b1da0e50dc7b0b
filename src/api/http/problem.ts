import type { Request, Response } from 'express';
import { fromFailure } from '../../contracts/failures.ts';
import { DomainError, errorMessages, type ErrorCode } from '../../domain/errors.ts';
import { contextOf } from './context.ts';
import { isPassing, nextStep, statusOf } from './problem-guide.ts';
import { isDatabaseAway, isTemporalAway } from './unavailable.ts';
import type { NextAction, NextActionsOf } from './problem-guide.ts';

/** A problem of RFC 9457. `status` is the HTTP status; `currentStatus` is the status of the refused thing. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  currentStatus?: string;
  allowed?: readonly string[];
  alternatives?: readonly { startsAt: string; endsAt: string }[];
  next: readonly NextAction[];
  fields?: readonly { field: string; message: string }[];
  /** The refused thing as it is now, in the shape of its read route. */
  current?: unknown;
  'violated-policies'?: readonly string[];
  requestId: string;
}

/** IANA's registered type for an exhausted quota (draft-ietf-httpapi-ratelimit-headers). */
const quotaExceeded = 'https://iana.org/assignments/http-problem-types#quota-exceeded';

export const problemType = (publicUrl: string, code: ErrorCode): string =>
  code === 'rate_limited' ? quotaExceeded : `${publicUrl}/problems/${code}`;

/** The refusal in a thrown value. Every unexpected error becomes `internal`, and its message is not sent. */
export function refusalOf(error: unknown): DomainError {
  const known = fromFailure(error);
  if (known) return known;
  const http = httpRefusal(error);
  if (http) return http;
  if (isTemporalAway(error) || isDatabaseAway(error)) return new DomainError('temporarily_unavailable', undefined, { retryAfterS: 2 });
  return new DomainError('internal');
}

/** The router and the static files mark mistakes of the caller with `status` and `expose`. */
function httpRefusal(error: unknown): DomainError | undefined {
  if (error instanceof URIError) return new DomainError('malformed');
  const { status, expose } = (error ?? {}) as { status?: unknown; expose?: unknown };
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  if (status === 404) return new DomainError('not_found');
  return expose === true || error instanceof TypeError ? new DomainError('malformed') : undefined;
}

export function toProblem(
  refusal: DomainError,
  { publicUrl, requestId, next }: { publicUrl: string; requestId: string; next?: NextActionsOf | undefined },
): Problem {
  const { code, message, detail } = refusal;
  const step = nextStep[code];
  return {
    type: problemType(publicUrl, code),
    title: errorMessages[code],
    status: statusOf[code],
    detail: code === 'internal' ? errorMessages.internal : message,
    code,
    ...(detail.status !== undefined && { currentStatus: detail.status }),
    ...(detail.allowed && { allowed: detail.allowed }),
    ...(detail.alternatives && { alternatives: detail.alternatives }),
    next: next?.(refusal, step) ?? [step],
    ...(detail.fields && { fields: detail.fields }),
    ...(detail.current !== undefined && { current: detail.current }),
    ...(code === 'rate_limited' && { 'violated-policies': (detail as { policies?: string[] }).policies ?? [] }),
    requestId,
  };
}

/** Answers with a problem and its headers. Logs a problem that is our fault. */
export function sendProblem(error: unknown, req: Request, res: Response, publicUrl: string): void {
  const refusal = refusalOf(error);
  const { requestId, log, next } = contextOf(req);
  if (statusOf[refusal.code] >= 500) log.error({ err: error, code: refusal.code }, 'request failed');
  if (res.headersSent) {
    // Headers are already sent, so no problem can be sent. Cutting the connection shows the caller that the answer is
    // incomplete.
    res.destroy();
    return;
  }
  const problem = toProblem(refusal, { publicUrl, requestId, next });
  if (isPassing(refusal.code)) res.setHeader('retry-after', String(Math.max(1, Math.ceil(refusal.detail.retryAfterS ?? 1))));
  if (problem.status === 401 && !res.hasHeader('www-authenticate')) {
    res.setHeader('www-authenticate', req.headers.authorization ? 'Bearer realm="proxie", error="invalid_token"' : 'Bearer realm="proxie"');
  }
  // The unread rest of a body must not be read as the next request.
  if (problem.status === 413) res.setHeader('connection', 'close');
  res.setHeader('cache-control', 'no-store');
  res.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}
