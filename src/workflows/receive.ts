import type { UpdateDefinition } from '@temporalio/common';
import { setHandler } from '@temporalio/workflow';
import type { StreamState } from '../domain/timeline.ts';
import type { Actor } from './actor.ts';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';

type Named<C, D> = Extract<C, { do: D }>;

/** Wires one Update to the actor: the validator refuses for free, the handler decides in its turn. */
export function receive<S extends StreamState, C extends CommandMeta & { do: string }, D extends C['do']>(
  actor: Actor<S, C>,
  update: UpdateDefinition<CommandAnswer, [Omit<Named<C, D>, 'do'> & CommandMeta]>,
  name: D,
  description: string,
): void {
  const named = (input: object) => ({ ...input, do: name }) as unknown as C;
  setHandler(update, (input) => actor.commit(named(input)), { validator: (input) => actor.refuse(named(input)), description });
}
