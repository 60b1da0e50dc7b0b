// How a refusal leaves a run: by the rules, by the world outside the stream, or because a command cannot be read.
import type { ApplicationFailure } from '@temporalio/workflow';
import { toFailure } from '../contracts/failures.ts';
import { DomainError, type ErrorCode, type RefusalDetail } from '../domain/errors.ts';
import { needAttention } from './attention.ts';

/** Refusals that say that the world disagrees with the timeline, not that a rule was broken. */
const outside: ReadonlySet<string> = new Set(['timeline_behind', 'row_disagrees', 'timeline_busy']);

export const isOutside = ({ type }: ApplicationFailure): boolean => outside.has(type ?? '');

/** A refusal from outside the stream. A row or a timeline that disagrees is an operator's business: nothing is guessed. */
export function refusedOutside(code: ErrorCode, detail: RefusalDetail = {}): ApplicationFailure {
  if (code === 'timeline_behind' || code === 'row_disagrees') needAttention();
  return toFailure(new DomainError(code, undefined, detail));
}

/**
 * Runs a rule; a refusal leaves it as a failure that Temporal carries.
 * @param otherwise what becomes of errors that are no refusal; by default they fail the task, until a fix is deployed
 * @param seq the position up to which the run knew its timeline when the rule ran: the API asks again when the timeline is longer
 */
export function refusing<T>(decision: () => T, otherwise: (error: unknown) => unknown = (error) => error, seq?: number): T {
  try {
    return decision();
  } catch (error) {
    throw error instanceof DomainError ? toFailure(error, seq) : otherwise(error);
  }
}

/** A command from outside that the rules cannot even read. */
export const unreadable = (): ApplicationFailure =>
  toFailure(new DomainError('validation_failed', 'This command cannot be read: a field is missing or has the wrong type.'));
