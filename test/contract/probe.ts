// Routes that only exercise what every route shares.
import { z } from 'zod';
import type { Api } from '../../src/api/http/deps.ts';
import { PageQuery } from '../../src/api/http/cursor.ts';
import { requireMatch } from '../../src/api/http/etag.ts';
import { reply, route } from '../../src/api/http/route.ts';
import { DomainError } from '../../src/domain/errors.ts';

const Thing = z.object({ id: z.string(), text: z.string(), seq: z.int() });
const ById = z.strictObject({ id: z.uuid() });
const NewThing = z.strictObject({
  text: z.string().min(1).max(20_000),
  count: z.int().min(0).max(10).optional(),
  inner: z.strictObject({ flag: z.boolean() }).optional(),
});

export interface Probe {
  feature: (api: Api) => void;
  /** How often a handler ran, by command id. */
  ran: string[];
  /** What GET /crash throws. */
  crash?: unknown;
  behave: (commandId: string) => Promise<{ id: string; text: string; seq: number } | undefined>;
}

export function probe(): Probe {
  const self: Probe = {
    ran: [],
    behave: async () => undefined,
    feature(api) {
      route(
        api,
        {
          method: 'post',
          path: '/things',
          summary: 'Make',
          auth: ['consumer', 'admin'],
          body: NewThing,
          response: Thing,
          status: 201,
          errors: ['slot_taken'],
        },
        async ({ body, commandId }) => {
          self.ran.push(commandId);
          return (
            (await self.behave(commandId)) ??
            reply(201, { id: commandId, text: body.text, seq: 1 }, { location: `/api/v1/things/${commandId}` })
          );
        },
      );
      route(
        api,
        {
          method: 'get',
          path: '/things',
          summary: 'List',
          auth: ['consumer'],
          query: PageQuery,
          response: z.object({ limit: z.int(), after: z.array(z.unknown()).nullable() }),
          errors: [],
        },
        async ({ query, actor }) => ({ limit: query.limit, after: [...(api.cursors.open(`things ${actor.id}`, query.cursor) ?? [])] }),
      );
      route(
        api,
        {
          method: 'get',
          path: '/things/:id',
          summary: 'Read',
          auth: ['consumer', 'provider'],
          params: ById,
          response: Thing,
          errors: ['not_found', 'not_owner'],
          etag: ({ seq }) => seq,
        },
        async ({ params, actor }) => ({ id: params.id, text: actor.role, seq: 7 }),
      );
      route(
        api,
        {
          method: 'patch',
          path: '/things/:id',
          summary: 'Change',
          auth: ['consumer'],
          params: ById,
          body: NewThing,
          response: Thing,
          errors: [],
          ifMatch: 'required',
          etag: ({ seq }) => seq,
        },
        async ({ params, body, ifMatch }) => {
          requireMatch(ifMatch, 7);
          return { id: params.id, text: body.text, seq: 8 };
        },
      );
      route(
        api,
        {
          method: 'post',
          path: '/things/:id/check-in',
          summary: 'Check in',
          auth: ['consumer'],
          params: ById,
          response: Thing,
          errors: ['invalid_transition'],
        },
        async () => {
          throw new DomainError('invalid_transition', 'Not now.', { status: 'done', allowed: ['checkIn', 'vanish'] });
        },
      );
      route(
        api,
        { method: 'get', path: '/broken', summary: 'Broken', auth: ['consumer'], response: Thing, errors: [] },
        async () => ({ id: 'canary-7f' }) as never,
      );
      route(api, { method: 'get', path: '/crash', summary: 'Crash', auth: ['consumer'], response: Thing, errors: [] }, async () => {
        throw await Promise.resolve(self.crash ?? new Error('canary-9c select * from secret_table'));
      });
      route(
        api,
        {
          method: 'get',
          path: '/open',
          summary: 'Open',
          auth: 'public',
          query: z.strictObject({ q: z.string().optional() }),
          response: z.object({ ok: z.boolean() }),
          errors: [],
          cache: 'public, max-age=60',
        },
        async () => ({ ok: true }),
      );
    },
  };
  return self;
}
