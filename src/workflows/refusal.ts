// How a refusal leaves a run: a refusal by a rule, from outside the stream, or of a command that cannot be read.
import type { ApplicationFailure } from '@temporalio/workflow';
import { toFailure } from '../contracts/failures.ts';
import { DomainError, type ErrorCode, type RefusalDetail } from '../domain/errors.ts';
import { needAttention } from './attention.ts';

/** Codes of refusals from outside the stream: the database does not agree with the run, or is too busy. No rule was broken. */
const outside: ReadonlySet<string> = new Set(['timeline_behind', 'row_disagrees', 'timeline_busy']);

export const isOutside = ({ type }: ApplicationFailure): boolean => outside.has(type ?? '');

/**
 * A refusal from outside the stream. If a row or a timeline disagrees, the run is marked for attention: an operator decides, the run never
 * guesses.
 */
export function refusedOutside(code: ErrorCode, detail: RefusalDetail = {}): ApplicationFailure {
  if (code === 'timeline_behind' || code === 'row_disagrees') needAttention();
  return toFailure(new DomainError(code, undefined, detail));
}

/**
 * Runs a rule and turns its refusal into a failure that Temporal can carry.
 * @param otherwise makes the error to throw from an error that is no refusal; by default that error fails the workflow task until a fix is
 * deployed
 * @param seq the position up to which the run knew its timeline when the rule ran; the API asks again when the timeline is longer
 */
export function refusing<T>(decision: () => T, otherwise: (error: unknown) => unknown = (error) => error, seq?: number): T {
  try {
    return decision();
  } catch (error) {
    throw error instanceof DomainError ? toFailure(error, seq) : otherwise(error);
  }
}

/** The refusal of a command from outside that the rules cannot read. */
export const unreadable = (): ApplicationFailure =>
  toFailure(new DomainError('validation_failed', 'This command cannot be read: a field is missing or has the wrong type.'));
