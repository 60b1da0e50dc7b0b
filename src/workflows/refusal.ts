// How a refusal leaves a run: a refusal by a rule, from outside the stream, or of a command that cannot be read.
import { log, type ApplicationFailure } from '@temporalio/workflow';
import { toFailure } from '../contracts/failures.ts';
import { DomainError, type ErrorCode, type RefusalDetail } from '../domain/errors.ts';

/**
 * Codes of refusals from outside the rules: the database does not agree with the run, is too busy, or cannot write, or a rule is broken.
 * Whether the run must be repaired by an operator.
 */
const outside: Partial<Record<string, boolean>> = { timeline_behind: true, row_disagrees: true, stream_parked: true, timeline_busy: false };

export const isOutside = ({ type }: ApplicationFailure): boolean => outside[type ?? ''] !== undefined;

/** Whether an operator has to act: the run never guesses. */
export const needsRepair = ({ type }: ApplicationFailure): boolean => outside[type ?? ''] === true;

/** A refusal from outside the rules. */
export const refusedOutside = (code: ErrorCode, detail: RefusalDetail = {}): ApplicationFailure =>
  toFailure(new DomainError(code, undefined, detail));

/** The refusal that an error in the code of a stream becomes, so that the run's other streams go on. */
export function broken(stream: string, error: unknown): ApplicationFailure {
  log.error('a stream is parked', { stream, error });
  return refusedOutside('stream_parked', { retryAfterS: 60 });
}

/**
 * Runs a rule and turns its refusal into a failure that Temporal can carry.
 * @param otherwise makes the error to throw from an error that is no refusal
 * @param seq the position up to which the run knew its timeline when the rule ran; the API asks again when the timeline is longer
 */
export function refusing<T>(decision: () => T, otherwise: (error: unknown) => unknown, seq?: number): T {
  try {
    return decision();
  } catch (error) {
    throw error instanceof DomainError ? toFailure(error, seq) : otherwise(error);
  }
}

/** The refusal of a command from outside that the rules cannot read. */
export const unreadable = (): ApplicationFailure =>
  toFailure(new DomainError('validation_failed', 'This command cannot be read: a field is missing or has the wrong type.'));
