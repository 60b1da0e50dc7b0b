import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { invalid } from '../../domain/errors.ts';

/** The sort key of the last row of a page. The next page starts after it. */
export type CursorKey = readonly (string | number | null)[];

/** `limit` and `cursor` of every list; spread `.shape` into the route's own query schema. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20).meta({ description: 'Rows per page.' }),
  cursor: z
    .string()
    .max(1_000)
    .optional()
    .meta({ description: '`nextCursor` of the page before; opaque, and valid for the same list, filter and user only.' }),
});

/** One page of a list. */
export const pageOf = <S extends z.ZodType>(item: S) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable().meta({ description: 'null on the last page.' }) });

export interface Cursors {
  /** Makes a signed cursor. @param scope the list, filters and user that the cursor is valid for */
  seal(scope: string, key: CursorKey): string;
  /** Reads a cursor. @throws validation_failed when it is forged, or was made for another list, filter or user */
  open(scope: string, cursor: string | undefined): CursorKey | undefined;
  /** Cuts up to `limit + 1` rows to one page; `keyOf` returns the sort key, whose last part is unique. */
  page<T>(scope: string, rows: readonly T[], limit: number, keyOf: (row: T) => CursorKey): { items: T[]; nextCursor: string | null };
}

/** Signed, opaque cursors. Nobody can forge one, and a cursor is of no use to another user. */
export function signedCursors(secret: string): Cursors {
  const sign = (scope: string, text: string) => createHmac('sha256', secret).update(`${scope}\n${text}`).digest().subarray(0, 16);

  const cursors: Cursors = {
    seal(scope, key) {
      const text = JSON.stringify(key);
      return Buffer.concat([sign(scope, text), Buffer.from(text)]).toString('base64url');
    },
    open(scope, cursor) {
      if (cursor === undefined) return undefined;
      const bytes = Buffer.from(cursor, 'base64url');
      const text = bytes.subarray(16).toString();
      if (bytes.length > 16 && timingSafeEqual(bytes.subarray(0, 16), sign(scope, text))) return JSON.parse(text) as CursorKey;
      throw invalid('/cursor', 'Not a cursor of this list.');
    },
    page(scope, rows, limit, keyOf) {
      const items = rows.slice(0, limit);
      return { items, nextCursor: rows.length > limit ? cursors.seal(scope, keyOf(items.at(-1)!)) : null };
    },
  };
  return cursors;
}
