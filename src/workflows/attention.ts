import { upsertSearchAttributes } from '@temporalio/workflow';
import { searchAttributes } from '../contracts/search-attributes.ts';

/** Puts the run on the operators' list, or takes it off. */
export function needAttention(value = true): void {
  upsertSearchAttributes([{ key: searchAttributes.needsAttention, value }]);
}
