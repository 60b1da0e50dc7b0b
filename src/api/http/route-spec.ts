import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import type { ApiActor, UserRole } from './auth.ts';
import type { RatePolicy } from './rate-limit.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
export const noFields = z.strictObject({});

/** The declaration of an endpoint. It validates, documents and types the endpoint. Paths are below /api/v1, in Express notation. */
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
  /** The command that the route sends. Links of a refusal find the route by this name. */
  verb?: string;
  /** Roles that may call the route; the actor gets the first one that they have. Other values need no user. */
  auth: A;
  params?: P;
  query?: Q;
  body?: B;
  /** Schema of the answer. Without it the answer is 204 without a body. */
  response?: R;
  status?: 200 | 201 | 202;
  /** The thing that the route creates in some cases. The answer is then 201 with a Location, instead of `status`. */
  mayCreate?: string;
  /** Refusals of this route; those that every route has are added. */
  errors: readonly ErrorCode[];
  /** Whether an Idempotency-Key is required. Default: yes for POST. Other changing methods use a key when one is sent. */
  idempotent?: boolean;
  /** Position of the thing in the answer, or a fingerprint of it. It becomes the ETag, and a read can answer 304. */
  etag?: (body: z.output<R>) => number | string;
  /** `required`: a change must name the version that it changes (428 without If-Match). */
  ifMatch?: 'required' | 'optional';
  /** A quota of this route, in addition to the general one. */
  rate?: RatePolicy;
  /** Cache-Control of a 200; default `no-store`. */
  cache?: string;
  /** Dates (RFC 3339): since when the route is deprecated, and when it is removed. */
  deprecated?: { since: string; sunset: string };
  /** `response` is a text of this media type and is sent unchanged. */
  text?: 'text/calendar';
  /** The handler writes to `res` itself, in this media type. `response` describes one item. */
  stream?: 'text/event-stream';
}

export type AnyRoute = RouteSpec<'public' | readonly UserRole[], z.ZodType, z.ZodType, z.ZodType, z.ZodType>;

/** The arguments of a handler. */
export interface Call<A = unknown, P = unknown, Q = unknown, B = unknown> {
  params: P;
  query: Q;
  body: B;
  actor: A;
  /** When the actor's token ends, epoch milliseconds. */
  expiresAt: number;
  /** The same for every retry with the same Idempotency-Key; random without a key. */
  commandId: string;
  idempotencyKey: string | undefined;
  /** Pass it to `requireMatch`. */
  ifMatch: string | undefined;
  requestId: string;
  log: Logger;
  req: Request;
  res: Response;
  /** Aborted when the caller has gone. */
  signal: AbortSignal;
}

/** An answer with its own status or headers. */
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

/** Returned by a handler that has written its answer itself. */
export const streamed = new Reply<never>(200, undefined as never);

export type Answer<R extends z.ZodType> = z.input<R> | Reply<z.input<R>>;

/** A handler without its own types: the pipeline and the document treat all routes alike. */
export type AnyHandler = (call: Call<ApiActor | undefined>) => Promise<unknown>;

export const isIdempotent = ({ method, idempotent }: AnyRoute): boolean => idempotent ?? method === 'post';
export const changes = ({ method }: AnyRoute): boolean => method !== 'get';
export const hasBody = ({ method, body }: AnyRoute): boolean => method !== 'get' && body !== undefined;
export const successStatus = ({ status, response }: AnyRoute): number => status ?? (response ? 200 : 204);
