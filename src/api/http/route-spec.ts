import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import type { ApiActor, UserRole } from './auth.ts';
import type { RatePolicy } from './rate-limit.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
export const nothing = z.strictObject({});

/** One declaration validates, documents and types an endpoint. Paths are below /api/v1, in Express notation. */
export interface RouteSpec<
  A extends 'public' | readonly UserRole[],
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  R extends z.ZodType,
> {
  method: Method;
  path: `/${string}`;
  summary: string;
  description?: string;
  /** The command it sends: links after a refusal lead here by this name. */
  verb?: string;
  /** Roles that may call it, the one to act in first; or nobody in particular. */
  auth: A;
  params?: P;
  query?: Q;
  body?: B;
  /** Absent: 204 without a body. */
  response?: R;
  status?: 200 | 201 | 202;
  /** What it makes in some cases: its answer is then 201 with a Location, in place of `status`. */
  mayCreate?: string;
  /** Refusals of its own; those every route has are added. */
  errors: readonly ErrorCode[];
  /** An Idempotency-Key is required. Default: yes for POST. Other changing methods honour one that is sent. */
  idempotent?: boolean;
  /** The position of the thing in the answer, or a fingerprint of it: becomes its ETag, and lets reads answer 304. */
  etag?: (body: z.output<R>) => number | string;
  /** `required`: changes must say which version they change (428 without). */
  ifMatch?: 'required' | 'optional';
  /** A quota of its own beside the general one. */
  rate?: RatePolicy;
  /** Cache-Control of a 200; default `no-store`. */
  cache?: string;
  /** Dates (RFC 3339) since when it is deprecated and when it goes. */
  deprecated?: { since: string; sunset: string };
  /** `response` is a text of this type, sent as it is. */
  text?: 'text/calendar';
  /** The handler writes to `res` itself: this media type, `response` describing one item. */
  stream?: 'text/event-stream';
}

export type AnyRoute = RouteSpec<'public' | readonly UserRole[], z.ZodType, z.ZodType, z.ZodType, z.ZodType>;

/** What a handler receives. */
export interface Call<A = unknown, P = unknown, Q = unknown, B = unknown> {
  params: P;
  query: Q;
  body: B;
  actor: A;
  /** When the actor's token ends, epoch milliseconds. */
  expiresAt: number;
  /** Stable across retries with the same Idempotency-Key; random where there is none. */
  commandId: string;
  idempotencyKey: string | undefined;
  /** Compare with `requireMatch`. */
  ifMatch: string | undefined;
  requestId: string;
  log: Logger;
  req: Request;
  res: Response;
  /** Aborted when the caller has gone. */
  signal: AbortSignal;
}

/** An answer with a status or headers of its own. */
export class Reply<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Record<string, string>;

  constructor(status: number, body: T, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export const reply = <T>(status: number, body: T, headers?: Record<string, string>): Reply<T> => new Reply(status, body, headers);

/** What a handler returns after it has written its answer itself. */
export const streamed = new Reply<never>(200, undefined as never);

export type Answer<R extends z.ZodType> = z.input<R> | Reply<z.input<R>>;

/** Every route by its declaration, for the pipeline and the document: their types differ only inside the handler. */
export type AnyHandler = (call: Call<ApiActor | undefined>) => Promise<unknown>;

export const isIdempotent = ({ method, idempotent }: AnyRoute): boolean => idempotent ?? method === 'post';
export const changes = ({ method }: AnyRoute): boolean => method !== 'get';
export const hasBody = ({ method, body }: AnyRoute): boolean => method !== 'get' && body !== undefined;
export const successStatus = ({ status, response }: AnyRoute): number => status ?? (response ? 200 : 204);
