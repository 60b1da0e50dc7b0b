import { z } from 'zod';
import type { PageInput } from '../../db/queries/page.ts';
import type { ApiActor } from './auth.ts';
import type { Api } from './deps.ts';

interface Listed {
  id: string;
  createdAt: string;
}

/**
 * One page of a list that is sorted newest first. The cursor is valid only for the same list, filters and reader.
 * @param read returns up to `limit + 1` rows
 */
export async function listPage<T extends Listed, Q extends { limit: number; cursor?: string | undefined }>(
  { cursors }: Api,
  { name, actor, query }: { name: string; actor: ApiActor; query: Q },
  read: (page: PageInput & Omit<Q, 'limit' | 'cursor'>) => Promise<T[]>,
): Promise<{ items: T[]; nextCursor: string | null }> {
  const { limit, cursor, ...filters } = query;
  const scope = JSON.stringify([name, actor.id, actor.role, filters]);
  const rows = await read({ limit, after: cursors.open(scope, cursor), ...filters });
  return cursors.page(scope, rows, limit, ({ createdAt, id }) => [createdAt, id]);
}

/** `?after=&limit=` of a timeline: positions are small numbers, so they need no cursor. */
export const TimelineQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(200).default(100),
});
