import { z } from 'zod';
import { EditMe, Me, NotificationView } from '../../contracts/me.ts';
import { change } from '../../db/change.ts';
import { changeProfile, listNotifications, profileOf, readNotification } from '../../db/queries/me.ts';
import type { UserEvent } from '../../domain/provider/types.ts';
import { pageOf, PageQuery } from '../http/cursor.ts';
import type { ApiActor } from '../http/auth.ts';
import type { Api } from '../http/deps.ts';
import { requireMatch } from '../http/etag.ts';
import { listPage } from '../http/listing.ts';
import { route } from '../http/route.ts';
import { actorOf } from '../../domain/actor.ts';

const everybody = ['consumer', 'provider', 'admin', 'guest'] as const;

export function meRoutes(api: Api): void {
  const db = () => api.orm.em.fork();
  /** The profile with the roles that the caller has in this request: the token's roles, when the token contains any. */
  const profile = async ({ id, roles }: ApiActor) => ({ ...(await profileOf(db(), id)), roles: [...roles] });

  route(
    api,
    {
      method: 'get',
      path: '/me',
      summary: 'Your profile and preferences',
      auth: everybody,
      response: Me,
      etag: ({ seq }) => seq,
      errors: ['not_found'],
    },
    ({ actor }) => profile(actor),
  );

  route(
    api,
    {
      method: 'patch',
      path: '/me',
      summary: 'Change your profile and preferences',
      auth: everybody,
      body: EditMe,
      response: Me,
      etag: ({ seq }) => seq,
      ifMatch: 'optional',
      errors: ['not_found'],
    },
    async ({ body, actor, commandId, ifMatch }) => {
      await change(api.orm, {
        stream: `user/${actor.id}`,
        command: { id: commandId, by: actorOf(actor) },
        async work(tx, seq) {
          requireMatch(ifMatch, seq);
          const fields = Object.keys(body);
          if (fields.length) await changeProfile(tx, actor.id, body);
          return fields.length ? [{ type: 'user.changed', fields, audience: [actor.id] } satisfies UserEvent] : [];
        },
      });
      return profile(actor);
    },
  );

  route(
    api,
    {
      method: 'get',
      path: '/me/notifications',
      summary: 'Your inbox, newest first',
      auth: everybody,
      query: z.strictObject({
        ...PageQuery.shape,
        unread: z
          .enum(['true', 'false'])
          .transform((text) => text === 'true')
          .optional(),
      }),
      response: pageOf(NotificationView),
      errors: [],
    },
    ({ query, actor }) => listPage(api, { name: 'notifications', actor, query }, (page) => listNotifications(db(), actor.id, page)),
  );

  route(
    api,
    {
      method: 'post',
      path: '/me/notifications/:notificationId/read',
      summary: 'Mark a notification as read',
      auth: everybody,
      params: z.strictObject({ notificationId: z.uuid() }),
      response: NotificationView,
      errors: ['not_found'],
    },
    ({ params, actor }) => readNotification(db(), actor.id, params.notificationId),
  );
}
