import { fromFailure } from '../../contracts/failures.ts';
import { DomainError } from '../../domain/errors.ts';

/**
 * Sends a change, then reads the thing. The refusal `draft_changed` carries the current draft, so that the person can look at
 * it and decide again without another call.
 */
export async function withFreshDraft<V>(send: () => Promise<unknown>, read: () => Promise<V>): Promise<V> {
  try {
    await send();
  } catch (error) {
    const refusal = fromFailure(error);
    if (refusal?.code !== 'draft_changed') throw error;
    throw new DomainError('draft_changed', refusal.message, { ...refusal.detail, current: await read() });
  }
  return read();
}
