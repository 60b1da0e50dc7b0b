import { ApplicationFailure } from '@temporalio/common';
import { DomainError, isErrorCode, type RefusalDetail } from '../domain/errors.ts';

/**
 * A refusal on its way through Temporal: the failure's type is the code, the detail travels beside it.
 * @param seq how far its run knew the timeline, where it was not asked
 */
export function toFailure(error: DomainError, seq?: number): ApplicationFailure {
  const details = [error.detail, ...(seq === undefined ? [] : [seq])];
  return ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: true, details });
}

/**
 * The refusal inside whatever Temporal threw, or undefined when it is not one of ours.
 * Walks `cause`: an Update's failure arrives wrapped, once per hop.
 */
export function fromFailure(error: unknown): DomainError | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof DomainError) return cause;
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
      return new DomainError(cause.type, cause.message, (cause.details?.[0] as RefusalDetail | undefined) ?? {});
    }
  }
  return undefined;
}

/** How far the run that refused knew its timeline, if that was not asked. */
export function refusedAt(error: unknown): number | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) return cause.details?.[1] as number | undefined;
  }
  return undefined;
}
