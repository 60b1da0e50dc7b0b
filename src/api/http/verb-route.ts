// Routes that send a verb's command to the run of a thing. The texts of the routes stand in the table of verbs
// (src/domain/verb.ts).
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

/**
 * The parts that all routes of a noun's verbs share. T: the thing, as the rules of the route need it. I: ids in the path that
 * go into the command.
 */
export interface VerbNoun<P extends z.ZodType, T, V extends z.ZodType, I extends object> {
  /** Schema of the path. */
  params: P;
  response: V;
  etag?: (view: z.output<V>) => number;
  /** Refusals that every verb has. */
  errors: readonly ErrorCode[];
  /** Reads the thing. @throws not_found, not_owner */
  load(actor: ApiActor, params: z.output<P>): Promise<T>;
  /** The actor in the role of their side. @throws forbidden_role */
  by(actor: ApiActor, thing: T): Actor;
  /** The run that answers for the thing. */
  workflowId(thing: T): string;
  /** The thing's stream, when it does not have the run's name. */
  stream?(thing: T): string;
  /** Ids in the path that every command carries. */
  fields(params: z.output<P>): I;
  /** Reads the thing for the answer, after the command. */
  read(actor: ApiActor, params: z.output<P>): Promise<z.input<V>>;
  /** Makes the refusal when the run has ended. Default: invalid_transition with nothing allowed. */
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

/** The parts that belong to one verb's route. */
export interface VerbOwn<P, T, B extends z.ZodType, V extends z.ZodType, F> {
  /** Schema of the body. Default: a reason and nothing else. */
  body: B;
  /** The fields of the command. @throws the refusal, when the body cannot be carried out */
  fields(call: VerbCall<P, T, z.output<B>>): F | Promise<F>;
  /** Whether the command was carried out before. Then nothing is sent, and the answer is the thing as it is. */
  done?(call: VerbCall<P, T, z.output<B>>): Promise<boolean>;
  /** How to start the run again after it has ended. */
  start?(thing: T): Promise<StartRun>;
  /** Makes the answer when it contains more than the thing. */
  answer?(view: z.input<V>, call: VerbCall<P, T, z.output<B>>): Answer<V>;
}

type Routed = Verb & { route: VerbRoute };

/** The texts of a verb for `route`. */
function wordsOf(name: string, { by, route: { path, summary, description, mayCreate } }: Routed) {
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

/** Registers the route of one verb that has a body or fields of its own. */
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
      const fields = { ...noun.fields(path), ...(await own.fields(call)) };
      const command = { id: commandId, by: call.by, ...(reason !== undefined && { reason }), ...fields };
      const start = own.start && (await own.start(thing));
      const view = await withFreshDraft(
        () =>
          api.commands.send({
            workflowId: noun.workflowId(thing),
            ...(noun.stream && { stream: noun.stream(thing) }),
            update,
            command,
            ...(start && { start }),
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

/**
 * Registers every verb of a table that has a route. `own` holds the verbs with a body or fields of their own; all others take a
 * reason at most.
 */
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
    else verbRoute(api, noun, declared as never, { body: Reason, fields: () => ({}) });
  }
}

/** For a verb whose route another feature registers. */
export const declaredElsewhere = (): void => {};
