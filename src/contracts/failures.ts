import { ApplicationFailure } from '@temporalio/common';
import { DomainError, isErrorCode, type RefusalDetail } from '../domain/errors.ts';

/**
 * Turns a refusal into a failure that Temporal can carry: its type is the code, its details are the refusal's detail and `seq`.
 * @param seq position up to which the run knew its timeline, for a refusal that was decided without asking the timeline
 */
export function toFailure(error: DomainError, seq?: number): ApplicationFailure {
  const details = [error.detail, ...(seq === undefined ? [] : [seq])];
  return ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: true, details });
}

/**
 * The refusal inside an error that Temporal threw, or undefined when the error holds no refusal of ours. Walks `cause`, because an Update's
 * failure arrives wrapped once per hop.
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

/** The position up to which the refusing run knew its timeline. Undefined for a refusal that came from the timeline itself. */
export function refusedAt(error: unknown): number | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) return cause.details?.[1] as number | undefined;
  }
  return undefined;
}
