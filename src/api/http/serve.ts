// The steps of every request between the socket and its handler, in this order: verify the caller, count the request, validate
// it, look for a stored answer. Then the handler runs, and its answer is checked against the declared schema.
import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { DomainError } from '../../domain/errors.ts';
import { actorFor, bearerToken, type ApiActor, type Principal } from './auth.ts';
import { contextOf } from './context.ts';
import type { Api } from './deps.ts';
import { etagOf, namesTag } from './etag.ts';
import { commandIdOf, fingerprintOf, idempotencyKeyOf, keepKeyMs, once, type Outcome } from './idempotency.ts';
import { checkText, readJson } from './json-body.ts';
import { nextActions } from './next-actions.ts';
import { changes, isIdempotent, noFields, Reply, successStatus, type AnyHandler, type AnyRoute, type Call } from './route-spec.ts';
import { validated } from './validate.ts';
import { isUuid } from '../../domain/ids.ts';

export async function serve(api: Api, spec: AnyRoute, handler: AnyHandler, req: Request, res: Response): Promise<void> {
  const context = contextOf(req);
  const routeId = `${spec.method.toUpperCase()} ${spec.path}`;
  context.route = routeId;
  context.next = nextActions(api, spec, req);

  const principal = await principalOf(api, spec, req, res);
  const actor = principal && actorFor(req, principal, await api.users.resolve(principal), spec.auth as never);
  const idempotencyKey = keyOf(spec, req);
  const ifMatch = ifMatchOf(spec, req);
  const input = await readInput(spec, req);

  const commandId =
    actor && idempotencyKey ? commandIdOf(actor.id, routeId, idempotencyKey) : randomBytes(16).toString('base64url').slice(0, 22);
  const { requestId, log } = context;
  const signal = goneSignal(res);
  const call = {
    ...input,
    actor,
    commandId,
    idempotencyKey,
    ifMatch,
    requestId,
    log,
    req,
    res,
    signal,
    expiresAt: principal?.expiresAt ?? Infinity,
  };
  const work = () => answer(spec, handler, call);

  const outcome =
    actor && idempotencyKey
      ? await once(
          api.idempotency,
          {
            id: commandId,
            actorId: actor.id,
            fingerprint: fingerprintOf({ ...input, ifMatch }),
            lockMs: api.config.http.commandDeadlineMs + 5_000,
            keepMs: keepKeyMs,
          },
          work,
          (error) => log.error({ err: error }, 'the answer could not be stored under its Idempotency-Key'),
        )
      : await work();
  send(spec, outcome, req, res);
}

/** Verifies the token and counts the request. A failed verification counts against the address. */
async function principalOf(api: Api, spec: AnyRoute, req: Request, res: Response): Promise<Principal | undefined> {
  if (spec.auth === 'public') {
    await api.limits.consume(req, res, undefined, spec.rate);
    return undefined;
  }
  let principal: Principal;
  try {
    principal = await api.tokens(bearerToken(req));
  } catch (error) {
    await api.limits.consume(req, res, undefined);
    throw error;
  }
  await api.limits.consume(req, res, `${principal.issuer} ${principal.subject}`, spec.rate);
  return principal;
}

function keyOf(spec: AnyRoute, req: Request): string | undefined {
  if (!changes(spec) || spec.idempotent === false) return undefined;
  const key = idempotencyKeyOf(req);
  if (key === undefined && isIdempotent(spec)) throw new DomainError('idempotency_key_missing');
  return key;
}

function ifMatchOf({ ifMatch }: AnyRoute, req: Request): string | undefined {
  const header = req.headers['if-match'];
  if (ifMatch === 'required' && header === undefined) throw new DomainError('precondition_required');
  return ifMatch && header;
}

async function readInput(spec: AnyRoute, req: Request) {
  // Ids are written in lower case, because streams and workflows are named after them.
  const params = Object.fromEntries(
    Object.entries(req.params).map(([name, value]) => {
      const small = String(value).toLowerCase();
      return [name, isUuid(small) ? small : value];
    }),
  );
  const query = { ...req.query };
  checkText([params, query]);
  const body = changes(spec) ? await readJson(req) : undefined;
  return {
    params: validated(spec.params ?? noFields, params, 'path'),
    query: validated(spec.query ?? noFields, query, 'query'),
    // A command whose fields are all optional may come without a body. Otherwise every missing field is named.
    body: validated(spec.body ?? noFields, body ?? {}, 'body'),
  };
}

/** Aborts when the connection closes before the answer is sent. */
function goneSignal(res: Response): AbortSignal {
  const controller = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) controller.abort(new Error('The caller has gone.'));
  });
  return controller.signal;
}

/** An answer that breaks its schema is our bug. The answer is not sent, and the log says where it breaks. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

async function answer(spec: AnyRoute, handler: AnyHandler, call: Call<ApiActor | undefined>): Promise<Outcome> {
  const given = await handler(call);
  const { status, body, headers } = given instanceof Reply ? given : new Reply(successStatus(spec), given);
  if (spec.stream || !spec.response) return { status, body: undefined, headers };
  const checked = spec.response.safeParse(body);
  if (!checked.success)
    throw new BrokenPromise(`${spec.method} ${spec.path} answered against its schema: ${z.prettifyError(checked.error)}`);
  const etag = spec.etag && { etag: etagOf(spec.etag(checked.data)) };
  return { status, body: checked.data, headers: { ...headers, ...etag } };
}

function send(spec: AnyRoute, { status, body, headers }: Outcome, req: Request, res: Response): void {
  if (res.headersSent) return; // a stream
  if (spec.deprecated) {
    res.setHeader('deprecation', `@${Math.floor(Date.parse(spec.deprecated.since) / 1000)}`);
    res.setHeader('sunset', new Date(spec.deprecated.sunset).toUTCString());
  }
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (!headers['cache-control'])
    res.setHeader('cache-control', spec.cache ?? (headers.etag && !changes(spec) ? 'private, no-cache' : 'no-store'));
  const ifNoneMatch = req.headers['if-none-match'];
  if (!changes(spec) && headers.etag && ifNoneMatch && namesTag(ifNoneMatch, headers.etag, { weak: true }))
    return void res.status(304).end();
  if (body === undefined) return void res.status(status).end();
  if (spec.text) return void res.status(status).type(`${spec.text}; charset=utf-8`).send(body);
  res.status(status).type('application/json').send(JSON.stringify(body));
}
