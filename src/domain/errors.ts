/**
 * Every code of a refusal, with the sentence that a person reads when the refusal has no sentence of its own. Clients depend on the codes:
 * codes are added, never renamed.
 */
export const errorMessages = {
  malformed: 'The request could not be read.',
  unauthenticated: 'Send a valid bearer token.',
  forbidden_role: 'Your role may not do this.',
  not_owner: 'This belongs to somebody else.',
  suspended: 'This account is suspended.',
  not_found: 'There is no such thing.',
  method_not_allowed: 'This path does not know that method.',
  invalid_transition: 'This is not possible in the current state.',
  offer_not_open: 'This offer is no longer open.',
  not_your_turn: 'The other side has to answer first.',
  slot_taken: 'This slot has just been taken.',
  draft_changed: 'The draft has changed since it was shown.',
  terms_changed: 'The terms have changed since they were shown.',
  draft_incomplete: 'Some required facts are still missing.',
  account_required: 'Sign in and claim this conversation before it is sent out.',
  conversation_busy: 'Too many messages are waiting for an answer.',
  outside_slot_rules: 'The provider does not offer this slot.',
  price_out_of_bounds: 'The price is outside the bounds of this service.',
  too_early: 'It is too early for this.',
  too_late: 'It is too late for this.',
  payment_method_missing: 'A payment method is needed first.',
  payment_declined: 'The payment was declined.',
  reschedule_limit: 'This side has used all its reschedules.',
  reschedule_pending: 'A proposed new slot waits for an answer already.',
  fee_changed: 'The fee is not the one that was shown.',
  code_locked: 'Too many wrong codes.',
  local_time_gap: 'The clocks skip this local time.',
  unsafe_url: 'This address may not be fetched.',
  signature_invalid: 'The signature does not fit the body.',
  wrong_code: 'This code is not right.',
  already_reviewed: 'You have already reviewed this booking.',
  credential_lapsed: 'A required credential is not valid on that date.',
  portfolio_too_small: 'More portfolio photos are needed for these services.',
  idempotency_key_missing: 'Send an Idempotency-Key header.',
  idempotency_in_flight: 'The same request is still being processed.',
  idempotency_key_reused: 'This Idempotency-Key was used with another body.',
  precondition_failed: 'It has changed since you read it.',
  precondition_required: 'Send If-Match with the ETag you read.',
  payload_too_large: 'The body is too large.',
  unsupported_media_type: 'Send application/json.',
  validation_failed: 'Some fields are not valid.',
  rate_limited: 'Too many requests.',
  timeline_behind: 'The timeline is shorter than the run expects; an operator has been told.',
  row_disagrees: 'A row disagrees with its timeline; an operator has been told.',
  stream_parked: 'This waits for a repair, and nothing was lost; an operator has been told.',
  timeline_busy: 'Too many changes at once; try again.',
  temporarily_unavailable: 'This cannot be done right now; nothing was lost.',
  internal: 'Something went wrong on our side.',
} as const;

export type ErrorCode = keyof typeof errorMessages;
export const errorCodes = Object.keys(errorMessages) as ErrorCode[];

export const isErrorCode = (value: unknown): value is ErrorCode => typeof value === 'string' && Object.hasOwn(errorMessages, value);

/** Details of a refusal beside its code: the allowed commands and where to go next. Values are ids and codes, never personal data. */
export interface RefusalDetail {
  /** Commands that the current state does allow. */
  allowed?: readonly string[];
  /** Ids for the paths of the `allowed` commands, when these belong to another resource than the refused one, e.g. `bookingId`. */
  ids?: Readonly<Record<string, string>>;
  /** The current status of the refused resource. */
  status?: string;
  /** Fields at fault, as JSON pointers. */
  fields?: readonly { field: string; message: string }[];
  /** Free slots near the refused one, RFC 3339. */
  alternatives?: readonly { startsAt: string; endsAt: string }[];
  /** Seconds after which a retry makes sense. */
  retryAfterS?: number;
  /** The current view of the refused resource. Only the API adds the view, and only for the owner: it never travels through Temporal. */
  current?: unknown;
}

/** A refusal by the rules. `code` is stable, `message` is for people, `detail` says what is allowed. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly detail: RefusalDetail;

  constructor(code: ErrorCode, message: string = errorMessages[code], detail: RefusalDetail = {}) {
    super(message);
    this.name = 'DomainError';
    this.code = code;
    this.detail = detail;
  }
}

/** A refusal of one field. @param field JSON pointer @param message what the field must be, in words that follow the field's name */
export const invalid = (field: string, message: string, sentence?: string): DomainError =>
  new DomainError('validation_failed', sentence, { fields: [{ field, message }] });
