import { DomainError } from '../../domain/errors.ts';

/** The ETag of a thing, made from the position of its stream or from a fingerprint of its content. */
export const etagOf = (version: number | string): string => `"${version}"`;

/** Whether a header of entity tags contains this one. Weak tags match only for reads. */
export function namesTag(header: string, etag: string, { weak }: { weak: boolean }): boolean {
  return header.split(',').some((entry) => {
    const tag = entry.trim();
    return tag === '*' || tag === etag || (weak && tag === `W/${etag}`);
  });
}

/**
 * Compares If-Match for rows that no run owns.
 * @param seq position that was read in the transaction of the change
 * @throws precondition_failed
 */
export function requireMatch(ifMatch: string | undefined, seq: number): void {
  if (ifMatch !== undefined && !namesTag(ifMatch, etagOf(seq), { weak: false })) throw new DomainError('precondition_failed');
}

/** The positions that an If-Match header allows, for a run that checks them itself; undefined allows every position. */
export function positionsIn(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined || namesTag(ifMatch, '*', { weak: false })) return undefined;
  return ifMatch.split(',').flatMap((entry) => {
    const position = /^"(\d{1,9})"$/.exec(entry.trim())?.[1];
    return position === undefined ? [] : [Number(position)];
  });
}
