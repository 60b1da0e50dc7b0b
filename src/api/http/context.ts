import { randomBytes, randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { pinoHttp } from 'pino-http';
import type { Logger } from 'pino';
import type { NextActionsOf } from './problem-guide.ts';

/** Data of one HTTP request that is known before its route. */
export interface RequestContext {
  requestId: string;
  /** W3C trace context of our span. The trace is the caller's when the caller sent a valid one. */
  traceparent: string;
  log: Logger;
  /** Set by the route: makes the links of a refusal. */
  next?: NextActionsOf;
  route?: string;
  actorId?: string;
}

const contexts = new WeakMap<object, RequestContext>();

export function contextOf(req: object): RequestContext {
  const context = contexts.get(req);
  if (!context) throw new Error('The request context middleware has not run.');
  return context;
}

const safeId = /^[A-Za-z0-9._~-]{1,128}$/;
const traceContext = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/**
 * Continues a valid trace and starts a new one otherwise. The caller's sampling flag is ignored: callers would decide how much
 * tracing we pay for.
 */
export function traceparentFrom(header: string | undefined): string {
  const match = traceContext.exec(header ?? '');
  const valid = match && !header!.startsWith('ff') && !/^0+$/.test(match[1]!) && !/^0+$/.test(match[2]!);
  return `00-${valid ? match[1] : randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`;
}

/** Gives every request an id, a trace and a log line. An id of the caller that could break a header or a log line is replaced. */
export function requestContext(log: Logger) {
  const access = accessLog(log);
  return (req: Request, res: Response, next: NextFunction): void => {
    const given = req.headers['x-request-id'];
    const requestId = typeof given === 'string' && safeId.test(given) ? given : randomUUID();
    const traceparent = traceparentFrom(req.headers.traceparent as string | undefined);
    const traceId = traceparent.slice(3, 35);
    contexts.set(req, { requestId, traceparent, log: log.child({ requestId, traceId }) });
    res.setHeader('x-request-id', requestId);
    res.setHeader('traceparent', traceparent);
    access(req, res);
    next();
  };
}

/** The address of a calendar feed contains its token, because calendar apps send no token in a header. */
const loggable = (url: string): string => url.split('?', 1)[0]!.replace(/(\/calendars\/).*/is, '$1…');

/**
 * Writes one line per answer: method, route, status, time. Query, body, address and headers are left out: they may be personal
 * or secret.
 */
function accessLog(log: Logger) {
  return pinoHttp({
    logger: log,
    genReqId: (req) => contextOf(req).requestId,
    quietReqLogger: true,
    customLogLevel: (_req, res, error) => (error || res.statusCode >= 500 ? 'error' : 'info'),
    serializers: {
      req: (req: { method: string; url: string }) => ({ method: req.method, path: loggable(req.url) }),
      res: (res: { statusCode: number }) => ({ status: res.statusCode }),
    },
    customProps: (req) => {
      const { requestId, traceparent, route, actorId } = contextOf(req);
      return { requestId, traceId: traceparent.slice(3, 35), route, actorId };
    },
    redact: { paths: ['req.headers', 'res.headers', '*.authorization', '*.cookie'], remove: true },
  });
}
