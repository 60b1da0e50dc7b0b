import type { Me, NotificationView } from '../../contracts/me.ts';
import { DomainError } from '../../domain/errors.ts';
import { sql, type Db } from '../orm.ts';
import { instantText, pageAfter, type PageInput } from './page.ts';

export async function profileOf(em: Db, userId: string): Promise<Me> {
  const [row] = await sql<Omit<Me, 'links' | 'preferences'> & { preferences: Partial<Me['preferences']> }>(
    em,
    `select u.id, u.display_name as "displayName", u.email, u.zone, u.roles, u.preferences, ${instantText('u.created_at')} as "createdAt",
       (select coalesce(max(seq), 0)::int from event where stream = 'user/' || u.id) as seq
     from user_account u where u.id = ?`,
    [userId],
  );
  if (!row) throw new DomainError('not_found');
  return {
    ...row,
    preferences: { mail: true, ...row.preferences },
    links: { self: '/api/v1/me', notifications: '/api/v1/me/notifications' },
  };
}

/** Changes the given fields of a profile; preferences are merged. */
export async function changeProfile(
  tx: Db,
  userId: string,
  { displayName, zone, preferences }: { displayName?: string | null; zone?: string; preferences?: object },
): Promise<void> {
  await sql(
    tx,
    `update user_account set display_name = case when ? then ? else display_name end, zone = coalesce(?, zone), preferences = preferences || ?::jsonb where id = ?`,
    [displayName !== undefined, displayName ?? null, zone ?? null, JSON.stringify(preferences ?? {}), userId],
  );
}

const notificationColumns = `n.id, n.kind, n.stream as about, n.data as ids, ${instantText('n.read_at')} as "readAt", ${instantText('n.created_at')} as "createdAt"`;

export async function listNotifications(
  em: Db,
  userId: string,
  page: PageInput & { unread?: boolean | undefined },
): Promise<NotificationView[]> {
  const after = pageAfter(page, 'n');
  return sql<NotificationView>(
    em,
    `select ${notificationColumns} from notification n where n.recipient_id = ? and (not ? or n.read_at is null) ${after.where}
     order by n.created_at desc, n.id desc limit ?`,
    [userId, page.unread ?? false, ...after.params, page.limit + 1],
  );
}

/**
 * Marks a notification as read. Reading it again keeps the time of the first reading.
 * @throws not_found, also for a notification of another user
 */
export async function readNotification(em: Db, userId: string, id: string): Promise<NotificationView> {
  const [row] = await sql<NotificationView>(
    em,
    `update notification n set read_at = coalesce(n.read_at, now()) where n.id = ? and n.recipient_id = ? returning ${notificationColumns}`,
    [id, userId],
  );
  if (!row) throw new DomainError('not_found');
  return row;
}
