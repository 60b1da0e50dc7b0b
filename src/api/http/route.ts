import type { RequestHandler } from 'express';
import type { z } from 'zod';
import type { ApiActor, UserRole } from './auth.ts';
import type { Api } from './deps.ts';
import { isIdempotent, type noFields, type Answer, type AnyHandler, type AnyRoute, type Call, type RouteSpec } from './route-spec.ts';
import { serve } from './serve.ts';
import { assertStrict } from './validate.ts';

export { reply, streamed } from './route-spec.ts';
export type { Call } from './route-spec.ts';

/** Registers an endpoint. @throws Error for a mistake in the declaration, when the process starts */
export function route<
  const A extends 'public' | readonly UserRole[],
  P extends z.ZodType = typeof noFields,
  Q extends z.ZodType = typeof noFields,
  B extends z.ZodType = typeof noFields,
  R extends z.ZodType = z.ZodUndefined,
>(
  api: Api,
  spec: RouteSpec<A, P, Q, B, R>,
  handler: (call: Call<A extends 'public' ? undefined : ApiActor, z.output<P>, z.output<Q>, z.output<B>>) => Promise<Answer<R>>,
): void {
  const declared = spec as unknown as AnyRoute;
  const name = `${spec.method.toUpperCase()} ${spec.path}`;
  if (api.routes.some(({ method, path }) => method === spec.method && path === spec.path)) throw new Error(`${name} is declared twice`);
  for (const [part, schema] of Object.entries({ params: spec.params, query: spec.query, body: spec.body })) {
    if (schema) assertStrict(schema, `${name} ${part}`);
  }
  if (spec.auth === 'public' && isIdempotent(declared))
    throw new Error(`${name}: without an actor there is nobody an Idempotency-Key could belong to`);
  api.routes.push(declared);
  const onRequest: RequestHandler = (req, res) => serve(api, declared, handler as unknown as AnyHandler, req, res);
  api.router[spec.method](spec.path, onRequest);
}
