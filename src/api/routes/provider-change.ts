import { change } from '../../db/change.ts';
import type { Db } from '../../db/orm.ts';
import { lockProvider, type LockedProvider } from '../../db/provider-rows.ts';
import { DomainError } from '../../domain/errors.ts';
import type { ProviderEvent } from '../../domain/provider/types.ts';
import type { ApiActor } from '../http/auth.ts';
import type { Api } from '../http/deps.ts';
import { requireMatch } from '../http/etag.ts';
import { actorOf } from '../../domain/actor.ts';

/** The parts of a call that `changeProviderRows` needs. */
export interface OwnChange {
  actor: ApiActor;
  commandId: string;
  ifMatch: string | undefined;
}

/**
 * Changes rows of the calling provider and writes the events to `provider/<id>`. It locks the provider's row, so holds wait for
 * it.
 * @throws not_found when the user is no provider, precondition_failed
 */
export function changeProviderRows(
  { orm }: Pick<Api, 'orm'>,
  { actor, commandId, ifMatch }: OwnChange,
  work: (tx: Db, provider: LockedProvider) => Promise<ProviderEvent[]>,
): Promise<void> {
  return change(orm, {
    stream: `provider/${actor.id}`,
    command: { id: commandId, by: actorOf(actor) },
    async work(tx, seq) {
      requireMatch(ifMatch, seq);
      const provider = await lockProvider(tx, actor.id);
      if (!provider) throw new DomainError('not_found', 'You are not a provider yet: apply first.');
      return (await work(tx, provider)).map((event) => ({ ...event, audience: [actor.id] }));
    },
  });
}
