import { DomainError } from '../../domain/errors.ts';

/** The ETag of something whose stream stands at this position, or that looks like this. */
export const etagOf = (version: number | string): string => `"${version}"`;

/** Whether a header of entity tags names this one; weak tags compare for reads only. */
export function namesTag(header: string, etag: string, { weak }: { weak: boolean }): boolean {
  return header.split(',').some((entry) => {
    const tag = entry.trim();
    return tag === '*' || tag === etag || (weak && tag === `W/${etag}`);
  });
}

/** For rows that no run owns: call it with the `seq` that was read in the transaction of the change. @throws precondition_failed */
export function requireMatch(ifMatch: string | undefined, seq: number): void {
  if (ifMatch !== undefined && !namesTag(ifMatch, etagOf(seq), { weak: false })) throw new DomainError('precondition_failed');
}

/** The positions that an If-Match header names, for a run that decides about it; undefined when any will do. */
export function positionsIn(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined || namesTag(ifMatch, '*', { weak: false })) return undefined;
  return ifMatch.split(',').flatMap((entry) => {
    const position = /^"(\d{1,9})"$/.exec(entry.trim())?.[1];
    return position === undefined ? [] : [Number(position)];
  });
}
