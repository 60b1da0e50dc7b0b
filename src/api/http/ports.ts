import type { ConnectionLike } from '@temporalio/client';
import { sql } from '../../db/orm.ts';
import { listen } from '../../db/listen.ts';
import { eventsAfter, lastPosition } from '../../db/queries/event.ts';
import { runOf } from '../../db/queries/run.ts';
import { answerOf, endOf, isOpen } from '../../db/timeline.ts';
import { commandSender } from './command.ts';
import type { ApiDeps, Ports } from './deps.ts';
import type { EventFeed } from './event-hub.ts';
import { idempotencyStoreIn } from './idempotency-store.ts';
import { issuerVerifier } from './issuer.ts';
import { memoryLimiters } from './rate-limit.ts';
import { ensureReachable } from './temporal-reach.ts';
import { usersIn } from './users.ts';
import type { Guests } from './guests.ts';

/** The ports of the server, built from its dependencies. */
export function portsFrom({ config, orm, temporal, log }: ApiDeps, guests: Guests): Ports {
  return {
    tokens: issuerVerifier({ config, log }, guests),
    users: usersIn(orm),
    idempotency: idempotencyStoreIn(orm),
    commands: commandSender({
      temporal,
      runOf: (stream) => runOf(orm.em.fork(), stream),
      answerOf: (stream, commandId) => answerOf(orm, stream, commandId),
      isOpen: (stream) => isOpen(orm.em.fork(), stream),
      endOf: (stream) => endOf(orm.em.fork(), stream),
      deadlineMs: config.http.commandDeadlineMs,
      log,
    }),
    feed: feedFrom({ orm, config }),
    limiter: memoryLimiters,
    probes: {
      database: async () => void (await within(1_500, sql(orm.em.fork(), 'select 1'))),
      temporal: () => ensureReachable(temporal as { connection: ConnectionLike }),
    },
  };
}

function feedFrom({ orm, config }: Pick<ApiDeps, 'orm' | 'config'>): EventFeed {
  return {
    async after({ userId, role, after, limit }) {
      const em = orm.em.fork();
      if (after === null) return { events: [], position: await lastPosition(em) };
      return eventsAfter(em, { actor: { id: userId, role }, after, limit });
    },
    async audienceOf(stream) {
      const rows = await sql<{ user_id: string }>(
        orm.em.fork(),
        'select distinct unnest(audience) as user_id from event where stream = ?',
        [stream],
      );
      return rows.map(({ user_id }) => user_id);
    },
    listen: (channel, onPayload, onListening) => listen({ databaseUrl: config.database.url, onListening }, channel, onPayload),
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${ms} ms.`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
