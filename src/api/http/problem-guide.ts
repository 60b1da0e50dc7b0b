// The HTTP meaning of each code. Both tables are exhaustive: a new code does not compile before it has an entry here.
import type { DomainError, ErrorCode } from '../../domain/errors.ts';

export const statusOf = {
  malformed: 400,
  unauthenticated: 401,
  forbidden_role: 403,
  not_owner: 403,
  suspended: 403,
  not_found: 404,
  method_not_allowed: 405,
  invalid_transition: 409,
  offer_not_open: 409,
  not_your_turn: 409,
  slot_taken: 409,
  draft_changed: 409,
  terms_changed: 409,
  draft_incomplete: 409,
  account_required: 403,
  conversation_busy: 429,
  outside_slot_rules: 422,
  price_out_of_bounds: 422,
  too_early: 409,
  too_late: 409,
  payment_method_missing: 409,
  payment_declined: 409,
  reschedule_limit: 409,
  reschedule_pending: 409,
  fee_changed: 409,
  code_locked: 409,
  local_time_gap: 422,
  unsafe_url: 422,
  signature_invalid: 400,
  wrong_code: 422,
  already_reviewed: 409,
  credential_lapsed: 409,
  portfolio_too_small: 409,
  idempotency_key_missing: 400,
  idempotency_in_flight: 409,
  idempotency_key_reused: 422,
  precondition_failed: 412,
  precondition_required: 428,
  payload_too_large: 413,
  unsupported_media_type: 415,
  validation_failed: 422,
  rate_limited: 429,
  timeline_behind: 503,
  row_disagrees: 503,
  stream_parked: 503,
  timeline_busy: 503,
  temporarily_unavailable: 503,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;

export interface NextStep {
  /** `read`: read the thing again. `retry`: repeat the same request. The other actions name what the client has to change first. */
  action: 'authenticate' | 'change' | 'read' | 'retry' | 'choose' | 'report';
  title: string;
}

/** A step after a refusal. With `href` the client can take it at once. */
export interface NextAction {
  action: string;
  title: string;
  method?: string;
  href?: string;
}

/** Makes the links of a refusal; the called route provides it. */
export type NextActionsOf = (refusal: DomainError, step: NextStep) => readonly NextAction[];

const read: NextStep = { action: 'read', title: 'Read it again and decide from its current state.' };
const retry: NextStep = { action: 'retry', title: 'Send the same request with the same Idempotency-Key again after Retry-After seconds.' };
const change = (title: string): NextStep => ({ action: 'change', title });
const choose = (title: string): NextStep => ({ action: 'choose', title });

/** The next step of a client after a refusal. It stands in every problem's `next` and in docs/generated/error-codes.md. */
export const nextStep: Record<ErrorCode, NextStep> = {
  malformed: change('Send well-formed JSON in UTF-8.'),
  unauthenticated: { action: 'authenticate', title: 'Send `Authorization: Bearer <access token>` with a token that has not expired.' },
  forbidden_role: choose('Use an account whose role may do this.'),
  not_owner: choose('Open something of your own.'),
  suspended: { action: 'report', title: 'Contact support to have the account reinstated.' },
  not_found: choose('Check the id, or list what there is.'),
  method_not_allowed: change('Use one of the methods in the Allow header.'),
  invalid_transition: read,
  offer_not_open: read,
  not_your_turn: { action: 'read', title: 'Wait for the other side; the event stream tells when it has answered.' },
  slot_taken: choose('Choose one of the `alternatives`, another slot of this provider, or another offer.'),
  draft_changed: { action: 'read', title: 'Read the draft again and confirm the hash it shows now.' },
  terms_changed: { action: 'read', title: 'Read the offer again and answer the terms it shows now.' },
  draft_incomplete: change('Supply the facts named in `fields`, then submit again.'),
  account_required: { action: 'authenticate', title: 'Sign in, claim the conversation, then send it.' },
  conversation_busy: retry,
  outside_slot_rules: choose('Choose one of the slots the provider lists.'),
  price_out_of_bounds: change('Name a price within the bounds of the service.'),
  too_early: retry,
  too_late: read,
  payment_method_missing: change('Store a payment method (PUT /me/payment-method), then send it again.'),
  payment_declined: change('Store another payment method (PUT /me/payment-method), then pay again.'),
  reschedule_limit: choose('Ask the other side to propose the new slot, or cancel.'),
  reschedule_pending: { action: 'read', title: 'Answer the proposal that waits, or wait for the answer.' },
  fee_changed: { action: 'read', title: 'Read the preview again and confirm the fee it shows now.' },
  code_locked: change('Ask the consumer for a new code.'),
  local_time_gap: choose('Choose one of the times suggested in `fields`.'),
  unsafe_url: change('Use a public https:// address on port 443.'),
  signature_invalid: change('Sign the raw body with the shared secret.'),
  wrong_code: change('Ask the other side for the code and send it again with a new Idempotency-Key.'),
  already_reviewed: read,
  credential_lapsed: change('Renew the credential, or choose an earlier date.'),
  portfolio_too_small: change('Add portfolio photos, then submit again.'),
  idempotency_key_missing: change('Add an Idempotency-Key header, unique per intention: a UUID in quotes.'),
  idempotency_in_flight: retry,
  idempotency_key_reused: change('Use a new Idempotency-Key for a new intention; repeat the first body to get its answer again.'),
  precondition_failed: read,
  precondition_required: change('Read it and send its ETag as If-Match.'),
  payload_too_large: change('Send less: bodies end at 64 kB.'),
  unsupported_media_type: change('Send `Content-Type: application/json`.'),
  validation_failed: change('Correct the fields named in `fields`.'),
  rate_limited: retry,
  timeline_behind: retry,
  row_disagrees: retry,
  stream_parked: retry,
  timeline_busy: retry,
  temporarily_unavailable: retry,
  internal: { action: 'report', title: 'Try again later; if it stays, report the requestId.' },
};

/** Whether waiting alone may lift a refusal. Such a refusal is not stored under an Idempotency-Key and always carries Retry-After. */
export const isPassing = (code: ErrorCode): boolean => statusOf[code] >= 500 || statusOf[code] === 429 || code === 'idempotency_in_flight';
