import type { UpdateDefinition } from '@temporalio/common';
import { setHandler } from '@temporalio/workflow';
import type { UpdatesOf } from '../contracts/update.messages.ts';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';
import type { CommandOf, Verbs } from '../domain/verb.ts';

/** Who takes the commands of a table. */
interface Receiver<C> {
  /** The validator: refuses without cost. @throws the refusal */
  refuse(command: C): void;
  /** Decides when the command's turn comes. @throws the refusal */
  commit(command: C): Promise<CommandAnswer>;
}

/** By the verb's name: handlers of verbs that need more than the rule. */
export type Handlers<T extends Verbs> = {
  [D in keyof T & string]?: (command: Extract<CommandOf<T>, { do: D }>) => Promise<CommandAnswer>;
};

/** Sets the handler of every verb of a table. The validator refuses without cost; the handler decides when its turn comes. */
export function receive<T extends Verbs>(to: Receiver<CommandOf<T>>, verbs: T, updates: UpdatesOf<T>, handlers: Handlers<T> = {}): void {
  for (const name of Object.keys(verbs) as (keyof T & string)[]) {
    const named = (input: CommandMeta) => ({ ...input, do: name }) as unknown as Extract<CommandOf<T>, { do: typeof name }>;
    const handle = handlers[name] ?? ((command: CommandOf<T>) => to.commit(command));
    setHandler(updates[name] as UpdateDefinition<CommandAnswer, [CommandMeta], string>, (input) => handle(named(input)), {
      validator: (input) => to.refuse(named(input)),
      description: verbs[name]!.says,
    });
  }
}
