import type { Request, Response } from 'express';
import { z } from 'zod';
import { DomainError } from '../../domain/errors.ts';
import type { ApiActor } from '../http/auth.ts';
import type { Api } from '../http/deps.ts';
import type { EventFeed, EventHub } from '../http/event-hub.ts';
import { route, streamed, type Call } from '../http/route.ts';

const heartbeatMs = 15_000;
const pageSize = 100;
/** Bytes that a slow reader may leave unread before the connection is cut. The reader can resume where it was. */
const maxUnread = 1 << 20;

/**
 * `GET /events`: every event that the caller may see, as soon as it is written. Each event carries its position, so a client
 * can resume.
 */
export function eventRoutes(hub: EventHub) {
  return (api: Api): void => {
    route(
      api,
      {
        method: 'get',
        path: '/events',
        summary: 'Stream of events (SSE)',
        description:
          'Server-sent events: `id` is the position, `event` the type, `data` the event. Resume with `Last-Event-ID`; without it the stream begins now. ' +
          '`turn.delta` events carry parts of an answer that is still being written; they have no id and are not repeated. ' +
          'The stream ends when the token expires.',
        auth: ['guest', 'consumer', 'provider', 'admin'],
        response: z.object({ type: z.string(), position: z.string() }).loose().meta({ id: 'StreamedEvent' }),
        errors: ['rate_limited', 'malformed'],
        stream: 'text/event-stream',
      },
      (call) => streamTo(call, api, hub),
    );
  };
}

async function streamTo({ actor, req, res, expiresAt, log }: Call<ApiActor>, api: Api, hub: EventHub): Promise<typeof streamed> {
  const limit = api.config.http.eventStreamsPerUser ?? 10;
  if (hub.countOf(actor.id) >= limit) {
    throw new DomainError('rate_limited', `At most ${limit} event streams per user.`, { retryAfterS: 5 });
  }
  if (api.draining.aborted) throw new DomainError('temporarily_unavailable');
  const reader = { userId: actor.id, role: actor.role };
  // All checks that can refuse come before the stream begins.
  const start = lastEventId(req) ?? (await api.feed.after({ ...reader, after: null, limit: 0 })).position;
  const pump = pumpFrom(api.feed, reader, start, res);

  const leave = await hub.join({
    ...reader,
    wake: () => void pump().catch(end),
    delta: (delta) => write(res, `event: turn.delta\ndata: ${JSON.stringify(delta)}\n\n`),
  });
  const ending = new AbortController();
  const ended = new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve(), { once: true }));
  function end(error?: unknown): void {
    if (error instanceof Error) log.warn({ err: error }, 'event stream ended');
    ending.abort();
  }

  res.once('close', end);
  api.draining.addEventListener('abort', end, { once: true, signal: ending.signal });
  // A timer waits at most 2^31 ms.
  const expiry = setTimeout(end, Math.min(expiresAt - Date.now(), 2 ** 31 - 1));
  const heartbeat = setInterval(() => {
    write(res, ': still here\n\n');
    void pump().catch(end); // also finds events whose notice was lost
  }, heartbeatMs);
  try {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    res.write('retry: 2000\n\n');
    await pump().catch(end);
    await ended;
  } finally {
    leave();
    clearTimeout(expiry);
    clearInterval(heartbeat);
    res.end();
  }
  return streamed;
}

function lastEventId(req: Request): string | undefined {
  const header = req.headers['last-event-id'];
  if (header === undefined || header === '') return undefined;
  if (typeof header === 'string' && /^\d{1,18}$/.test(header)) return header;
  throw new DomainError('malformed', 'Last-Event-ID must be the id of an event of this stream.');
}

/** Sends the events after `position`. Only one round runs at a time; a wake-up during a round causes one more round. */
function pumpFrom(feed: EventFeed, reader: { userId: string; role: ApiActor['role'] }, start: string, res: Response): () => Promise<void> {
  let position = start;
  let running = false;
  let again = false;

  return async () => {
    again = true;
    if (running) return;
    running = true;
    try {
      while (again && !res.writableEnded) {
        again = false;
        const page = await feed.after({ ...reader, after: position, limit: pageSize });
        for (const event of page.events) write(res, `id: ${event.position}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
        again ||= page.events.length === pageSize;
        position = page.position;
      }
    } finally {
      running = false;
    }
  };
}

function write(res: Response, frame: string): void {
  if (res.writableEnded || res.destroyed) return;
  if (res.writableLength > maxUnread) res.destroy();
  else res.write(frame);
}
