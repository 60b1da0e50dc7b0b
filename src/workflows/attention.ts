import { upsertSearchAttributes } from '@temporalio/workflow';
import { searchAttributes } from '../contracts/search-attributes.ts';

/** Why a run is on the operators' list. The run stays on the list while one cause is left. */
export interface Attention {
  /** Adds a cause, or takes it off. @param cause a name within the run, e.g. `booking/<id> money` */
  flag(cause: string, needed?: boolean): void;
  /** For a run that continues as a new one: its place on the list is kept. */
  causes(): string[];
}

/** @param carried the causes that an earlier run has left */
export function attention(carried: readonly string[] = []): Attention {
  const causes = new Set(carried);
  return {
    flag(cause, needed = true) {
      const before = causes.size;
      if (needed) causes.add(cause);
      else causes.delete(cause);
      if (before > 0 !== causes.size > 0) upsertSearchAttributes([{ key: searchAttributes.needsAttention, value: causes.size > 0 }]);
    },
    causes: () => [...causes],
  };
}
