// Routes that send a verb's command to the run that owns the thing. Their words stand in the table of verbs (src/domain/verb.ts).
import type { UpdateDefinition } from '@temporalio/common';
import type { z } from 'zod';
import { Reason } from '../../contracts/common.ts';
import type { UpdatesOf } from '../../contracts/update.messages.ts';
import type { Actor } from '../../domain/actor.ts';
import type { CommandAnswer, CommandMeta } from '../../domain/command.ts';
import type { DomainError, ErrorCode } from '../../domain/errors.ts';
import type { FieldsOf, Verb, VerbRoute, Verbs } from '../../domain/verb.ts';
import type { ApiActor, UserRole } from './auth.ts';
import type { StartRun } from './command.ts';
import type { Api } from './deps.ts';
import { withFreshDraft } from './fresh-draft.ts';
import { route } from './route.ts';
import type { Answer } from './route-spec.ts';

/** What the routes of a noun's verbs have in common. T: the thing as the rules of the route need it. I: what the path names of a command. */
export interface VerbNoun<P extends z.ZodType, T, V extends z.ZodType, I extends object> {
  /** Of the path. */
  params: P;
  response: V;
  etag?: (view: z.output<V>) => number;
  /** Refusals of every verb. */
  errors: readonly ErrorCode[];
  /** @throws not_found, not_owner */
  load(actor: ApiActor, params: z.output<P>): Promise<T>;
  /** The actor as the side they are on. @throws forbidden_role */
  by(actor: ApiActor, thing: T): Actor;
  workflowId(thing: T): string;
  fields(params: z.output<P>): I;
  /** What is answered: the thing afterwards. */
  read(actor: ApiActor, params: z.output<P>): Promise<z.input<V>>;
  /** The refusal when the run has ended; by default nothing is allowed any more. */
  closed?(actor: ApiActor, params: z.output<P>, verb: string): Promise<DomainError>;
}

export interface VerbCall<P, T, B> {
  params: P;
  body: B;
  thing: T;
  actor: ApiActor;
  by: Actor;
  commandId: string;
}

/** What one verb's route has of its own. */
export interface VerbOwn<P, T, B extends z.ZodType, V extends z.ZodType, F> {
  /** The body; by default nothing but a reason. */
  body: B;
  /** What the command carries. @throws the refusal, when the body cannot be meant */
  fields(call: VerbCall<P, T, z.output<B>>): F | Promise<F>;
  /** Whether the command was carried out before. The thing is then answered as it is, and nothing is sent. */
  done?(call: VerbCall<P, T, z.output<B>>): Promise<boolean>;
  /** How a run that has ended is started again. */
  start?(thing: T): StartRun;
  /** The answer, when it is more than the thing. */
  answer?(view: z.input<V>, call: VerbCall<P, T, z.output<B>>): Answer<V>;
}

type Routed = Verb & { route: VerbRoute };

/** A verb's words for `route`, also for routes that are written by hand. */
export function wordsOf(name: string, { by, route: { path, summary, description, mayCreate } }: Routed) {
  return {
    method: 'post' as const,
    path,
    summary,
    auth: by as readonly UserRole[],
    verb: name,
    ...(description && { description }),
    ...(mayCreate && { mayCreate }),
  };
}

/** One verb with a body or fields of its own. */
export function verbRoute<P extends z.ZodType, T, V extends z.ZodType, I extends object, B extends z.ZodType, F extends object>(
  api: Api,
  noun: VerbNoun<P, T, V, I>,
  [name, verb, update]: readonly [string, Routed, UpdateDefinition<CommandAnswer, [CommandMeta & F], string>],
  own: VerbOwn<z.output<P>, T, B, V, F>,
): void {
  const { params, response, etag, closed } = noun;
  const errors = [...noun.errors, ...(verb.route.errors ?? [])];
  route(
    api,
    { ...wordsOf(name, verb), params: params as z.ZodType, body: own.body as z.ZodType, response, errors, ...(etag && { etag }) },
    async (called) => {
      const { actor, commandId, signal } = called;
      const [path, body] = [called.params as z.output<P>, called.body as z.output<B>];
      const thing = await noun.load(actor, path);
      const call = { params: path, body, thing, actor, by: noun.by(actor, thing), commandId };
      if (await own.done?.(call)) return noun.read(actor, path) as Promise<Answer<V>>;
      const { reason } = (body ?? {}) as { reason?: string };
      const command = { id: commandId, by: call.by, ...(reason !== undefined && { reason }), ...(await own.fields(call)) };
      const view = await withFreshDraft(
        () =>
          api.commands.send({
            workflowId: noun.workflowId(thing),
            update,
            command,
            ...(own.start && { start: own.start(thing) }),
            ...(closed && { closed: () => closed(actor, path, name) }),
            signal,
          }),
        () => noun.read(actor, path),
      );
      return own.answer ? own.answer(view, call) : (view as Answer<V>);
    },
  );
}

type OwnVerbs<N extends Verbs> = {
  [D in keyof N & string]?: (
    verb: readonly [D, N[D] & Routed, UpdateDefinition<CommandAnswer, [CommandMeta & FieldsOf<N[D]>], string>],
  ) => void;
};

/** Every verb of a table that has a route: those with a body or fields of their own in `own`, the others with a reason at most. */
export function verbRoutes<P extends z.ZodType, T, V extends z.ZodType, I extends object, N extends Verbs>(
  api: Api,
  noun: VerbNoun<P, T, V, I>,
  verbs: N,
  updates: UpdatesOf<N>,
  own: OwnVerbs<N>,
): void {
  for (const name of Object.keys(verbs) as (keyof N & string)[]) {
    const verb = verbs[name]!;
    if (!verb.route) continue;
    const declared = [name, verb as N[typeof name] & Routed, updates[name]] as const;
    if (own[name]) own[name](declared);
    else verbRoute(api, noun, declared as never, { body: Reason, fields: ({ params }) => noun.fields(params) });
  }
}

/** Of a verb whose route is registered by another feature. */
export const declaredElsewhere = (): void => {};
